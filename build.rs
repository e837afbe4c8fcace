//! Link settings of the shared library.

fn main() {
    // Threads and exit handlers of ours may run at any time: the library must never be unloaded.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
