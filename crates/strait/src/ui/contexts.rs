//! Web contexts: one for each partition and kind of process (sandboxed or not). Both contexts of a
//! partition share its data.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use gtk::glib::ToVariant;
use rustix::fs::Access;
use strait_protocol::AgentInit;
use webkit2gtk::{CookieManagerExt, CookiePersistentStorage, WebContext, WebContextExt, WebsiteDataManager, WebsiteDataManagerExt};

use super::downloads;
use crate::shared::SharedRef;

/// The folder of the program's own partition, in its folder for data.
const DEFAULT_PARTITION: &str = "WebKit";
/// The folder of the program's own partition if it is not stored. No other partition has the name.
const EPHEMERAL: &str = "%";

/// The paths that views need for their agents and data.
#[derive(Debug)]
pub(crate) struct Views {
    /// The folder with the agent in it.
    pub(crate) extensions: PathBuf,
    /// The socket to which agents connect.
    pub(crate) socket: PathBuf,
    /// The folder for the data of partitions that are not stored.
    pub(crate) partitions: PathBuf,
}

/// The contexts of the program.
pub(super) struct Contexts {
    views: Views,
    /// By partition (the program's own has an empty name), and whether its processes are sandboxed.
    made: RefCell<HashMap<(String, bool), WebContext>>,
}

impl Contexts {
    pub(super) fn new(views: Views) -> Self {
        Self { views, made: RefCell::default() }
    }

    /// The context for the pages of a partition with or without sandbox. It is made at its first
    /// use.
    pub(super) fn get(&self, shared: &SharedRef, partition: &str, sandboxed: bool) -> WebContext {
        let mut made = self.made.borrow_mut();
        let key = (partition.to_owned(), sandboxed);
        if let Some(context) = made.get(&key) {
            return context.clone();
        }
        // Two managers of one folder would not share each other's data.
        let data = made.get(&(partition.to_owned(), !sandboxed)).and_then(|other| other.website_data_manager());
        let context = self.make(shared, (partition, sandboxed), data);
        if sandboxed {
            self.confine(shared, &context);
        }
        made.insert(key, context.clone());
        context
    }

    /// Makes the context start its processes in WebKit's sandbox, from where they reach their
    /// agents' socket. (WebKit adds the agent's folder itself.) WebKit allows neither call after
    /// the context's first process.
    fn confine(&self, shared: &SharedRef, context: &WebContext) {
        context.set_sandbox_enabled(true);
        // The socket alone, because the data of partitions are beside it.
        context.add_path_to_sandbox(&self.views.socket, true);
        // A file for debugging, from the command line. WebKit's sandbox has a /dev of its own.
        if let Some(file) = shared.inspect.as_ref().filter(|file| !file.starts_with("/dev")) {
            context.add_path_to_sandbox(file, false);
        }
    }

    fn make(&self, shared: &SharedRef, (partition, sandboxed): (&str, bool), data: Option<WebsiteDataManager>) -> WebContext {
        let data = data.unwrap_or_else(|| data_in(&self.folder_of(shared, partition)));
        let context = WebContext::builder().website_data_manager(&data).build();
        downloads::refuse(shared, &context);
        context.set_web_extensions_directory(&self.views.extensions.to_string_lossy());
        context.set_use_system_appearance_for_scrollbars(false);
        self.welcome_agents(shared, &context, sandboxed);
        context
    }

    /// The folder of a partition's data. The program's own data last as long as the program if its
    /// data folder is not usable.
    fn folder_of(&self, shared: &SharedRef, partition: &str) -> PathBuf {
        if partition.is_empty() {
            let folder = shared.user_data().join(DEFAULT_PARTITION);
            return match make_writable(&folder) {
                Ok(()) => folder,
                Err(error) => {
                    strait_output::report!("strait: pages' data lasts only as long as the program: {}: {error}", folder.display());
                    self.views.partitions.join(EPHEMERAL)
                }
            };
        }
        match partition.strip_prefix("persist:") {
            Some(name) => shared.user_data().join("Partitions").join(file_name(name)),
            None => self.views.partitions.join(file_name(partition)),
        }
    }

    /// Issues a token for each new web process.
    fn welcome_agents(&self, shared: &SharedRef, context: &WebContext, sandboxed: bool) {
        let (shared, socket) = (shared.clone(), self.views.socket.clone());
        context.connect_initialize_web_extensions(move |context| {
            let token = match shared.state().tokens.issue() {
                Ok(token) => token,
                Err(error) => {
                    tracing::error!(%error, "no randomness for a token");
                    return;
                }
            };
            let init = strait_protocol::encode(&AgentInit {
                socket: socket.clone(),
                token,
                inspect: shared.inspect.clone(),
                expose_gc: shared.expose_gc,
                sandboxed,
            });
            context.set_web_extensions_initialization_user_data(&init.to_variant());
        });
    }
}

/// Makes a writable folder for this user alone.
fn make_writable(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// The manager of website data in a folder.
fn data_in(folder: &Path) -> WebsiteDataManager {
    let path = folder.to_string_lossy();
    let manager = WebsiteDataManager::builder().base_cache_directory(path.as_ref()).base_data_directory(path.as_ref()).build();
    if let Some(cookies) = manager.cookie_manager() {
        cookies.set_persistent_storage(&folder.join("cookies").to_string_lossy(), CookiePersistentStorage::Text);
    }
    manager
}

/// A file name that no other partition has: letters and digits stay, other bytes are written as
/// `%XX`.
fn file_name(partition: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let written = partition.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    let name: String = written.collect();
    // Otherwise longer than a file's name can be.
    if name.len() <= 200 { name } else { format!("{}%{:016x}", &name[..180], fnv(partition.as_bytes())) }
}

/// A hash that is the same in every run (FNV-1a, 64 bits).
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_folders_of_their_own() {
        assert_eq!(file_name("work"), "work");
        assert_eq!(file_name("../a b"), "%2E%2E%2Fa%20b");
        assert_eq!(file_name(""), "");
        assert_ne!(file_name("%"), EPHEMERAL);
        let (one, two) = ("x".repeat(1000), "x".repeat(1001));
        assert_ne!(file_name(&one), file_name(&two));
        assert!(file_name(&one).len() < 255);
    }
}
