//! Links the system libraries that the agent's FFI names.

fn main() {
    // WebKit's own pkg-config file lists all of GTK behind it; the agent calls none of that, so the linker is given just what `ffi` names.
    for library in ["webkit2gtk-web-extension-4.1", "javascriptcoregtk-4.1", "glib-2.0", "gobject-2.0"] {
        let found = pkg_config::Config::new().cargo_metadata(false).probe(library);
        match found {
            Ok(found) => {
                for path in found.link_paths {
                    println!("cargo:rustc-link-search=native={}", path.display());
                }
            }
            Err(error) => panic!("{library} is needed to build the agent (`cargo xtask setup` installs it): {error}"),
        }
    }
    for library in ["webkit2gtk-4.1", "javascriptcoregtk-4.1", "gobject-2.0", "glib-2.0"] {
        println!("cargo:rustc-link-lib={library}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
