# Sourced by the shell scripts. Goes to the root of the repository.

script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The scripts name what they build by its usual place.
unset CARGO_TARGET_DIR

# A script's usage is the comment at its top.
usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$script"
}

# For scripts that take no argument but --help.
no_arguments() {
    case ${1:-} in
    '') ;;
    --help)
        usage
        exit 0
        ;;
    *)
        echo "${script##*/}: unknown argument $1; see ${script##*/} --help" >&2
        exit 2
        ;;
    esac
}
