//! The `nashtrace` command.

fn main() -> std::process::ExitCode {
    nashtrace_analysis::cli::run()
}
