//! Natives for the application and its windows.

use rquickjs::{Ctx, Exception, Object, Result, TypedArray, prelude::Func};
use strait::{BrowserWindow, BrowserWindowBuilder, ProcessKind, WindowOpenResponse};
use strait_host::written;

use crate::host::host;

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("appQuit", Func::from(|| host().app.quit()))?;
    natives.set("appExit", Func::from(|code: i32| host().app.exit(code)))?;
    natives.set("appPath", Func::from(app_path))?;
    natives.set("appSetUserData", Func::from(|path: String| host().app.set_user_data(path)))?;
    natives.set("appMetrics", Func::from(app_metrics))?;
    natives.set("instanceRequest", Func::from(instance_request))?;
    natives.set("instanceHas", Func::from(|| host().app.has_single_instance_lock()))?;
    natives.set("instanceRelease", Func::from(|| host().app.release_single_instance_lock()))?;
    natives.set("windowCreate", Func::from(window_create))?;
    natives.set("windowOpenAllow", Func::from(window_open_allow))?;
    natives.set("windowDo", Func::from(window_do))?;
    natives.set("windowResize", Func::from(window_resize))?;
    natives.set("windowMove", Func::from(window_move))?;
    natives.set("windowResizable", Func::from(window_resizable))?;
    natives.set("windowSetTitle", Func::from(window_set_title))?;
    natives.set("windowState", Func::from(window_state))
}

/// A folder by Electron's name for it; nothing for a name it does not have.
fn app_path(name: String) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| value.starts_with('/'));
    let home = variable("HOME").unwrap_or_else(|| "/".into());
    let config = variable("XDG_CONFIG_HOME").unwrap_or_else(|| format!("{home}/.config"));
    let user_folder = |key: &str, default: &str| user_folder(&config, &home, key).unwrap_or_else(|| format!("{home}/{default}"));
    let own = host().app.user_data().to_string_lossy().into_owned();
    let executable = || std::env::current_exe().unwrap_or_default().to_string_lossy().into_owned();
    Some(match name.as_str() {
        "home" => home,
        "appData" => config,
        "userData" | "sessionData" => own,
        "logs" => format!("{own}/logs"),
        "crashDumps" => format!("{own}/Crashpad"),
        "temp" => std::env::temp_dir().to_string_lossy().into_owned(),
        "assets" => host().program.root.to_string_lossy().into_owned(),
        "exe" | "module" => executable(),
        "cache" => variable("XDG_CACHE_HOME").unwrap_or_else(|| format!("{home}/.cache")),
        "desktop" => user_folder("DESKTOP", "Desktop"),
        "documents" => user_folder("DOCUMENTS", "Documents"),
        "downloads" => user_folder("DOWNLOAD", "Downloads"),
        "music" => user_folder("MUSIC", "Music"),
        "pictures" => user_folder("PICTURES", "Pictures"),
        "videos" => user_folder("VIDEOS", "Videos"),
        _ => return None,
    })
}

/// A line like `XDG_MUSIC_DIR="$HOME/Tunes"` of the desktop's `user-dirs.dirs`.
fn user_folder(config: &str, home: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("{config}/user-dirs.dirs")).ok()?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix(&format!("XDG_{key}_DIR=")))?;
    Some(value.trim_matches('"').replace("$HOME", home))
}

/// The program's processes, as Electron shapes them.
fn app_metrics(ctx: Ctx<'_>) -> Result<Vec<Object<'_>>> {
    let shaped = host().app.metrics().into_iter().map(|process| {
        let object = Object::new(ctx.clone())?;
        object.set("pid", process.pid)?;
        let (kind, service) = match process.kind {
            ProcessKind::Main => ("Browser", None),
            ProcessKind::Renderer => ("Tab", None),
            ProcessKind::Gpu => ("GPU", None),
            ProcessKind::Network => ("Utility", Some("network.mojom.NetworkService")),
            _ => ("Utility", Some(process.name.as_str())),
        };
        object.set("type", kind)?;
        if let Some(service) = service {
            object.set("serviceName", service)?;
            object.set("name", if process.kind == ProcessKind::Network { "Network Service" } else { service })?;
        }
        object.set("creationTime", process.creation_time)?;
        let cpu = Object::new(ctx.clone())?;
        cpu.set("percentCPUUsage", process.cpu_percent)?;
        cpu.set("cumulativeCPUUsage", process.cpu_seconds)?;
        // Nobody counts them on this system.
        cpu.set("idleWakeupsPerSecond", 0)?;
        object.set("cpu", cpu)?;
        let memory = Object::new(ctx.clone())?;
        memory.set("workingSetSize", process.working_set as f64)?;
        memory.set("peakWorkingSetSize", process.peak_working_set as f64)?;
        object.set("memory", memory)?;
        Ok(object)
    });
    shaped.collect()
}

/// Whether this is the first instance; if not, the first hears of it.
fn instance_request(ctx: Ctx<'_>, bytes: TypedArray<'_, u8>, length: usize) -> Result<bool> {
    let asked = host().app.request_single_instance_lock_encoded(written(&bytes, length));
    asked.map_err(|error| Exception::throw_message(&ctx, &format!("can't look for other instances of the program: {error}")))
}

fn window(id: u32) -> Option<BrowserWindow> {
    host().window(id)
}

/// Makes a window of plain options; everything was checked in JavaScript. Gives its number.
fn window_create(ctx: Ctx<'_>, options: Object<'_>) -> Result<u32> {
    Ok(described(&ctx, &options)?.build(&host().app).id().get())
}

/// The page whose request a script is being asked about may open a window like this; gives its number, 0 if the page is gone.
fn window_open_allow(ctx: Ctx<'_>, options: Object<'_>, outlives_opener: bool) -> Result<u32> {
    let overrides = Box::new(described(&ctx, &options)?);
    let request = host().open_request.take();
    let window = request.and_then(|request| request.respond(WindowOpenResponse::Allow { overrides, outlives_opener }));
    Ok(window.map_or(0, |window| window.id().get()))
}

/// What the options say; null where they say nothing.
fn described(ctx: &Ctx<'_>, options: &Object<'_>) -> Result<BrowserWindowBuilder> {
    let mut builder = BrowserWindow::builder();
    let size: (Option<u32>, Option<u32>) = (options.get("width")?, options.get("height")?);
    if size != (None, None) {
        builder = builder.size(size.0.unwrap_or(800), size.1.unwrap_or(600));
    }
    let place: (Option<i32>, Option<i32>) = (options.get("x")?, options.get("y")?);
    if let (Some(x), Some(y)) = place {
        builder = builder.position(x, y);
    }
    if let Some(show) = options.get("show")? {
        builder = builder.show(show);
    }
    if let Some(resizable) = options.get("resizable")? {
        builder = builder.resizable(resizable);
    }
    if let Some(title) = options.get::<_, Option<String>>("title")? {
        builder = builder.title(title);
    }
    if let Some(preload) = options.get::<_, Option<String>>("preload")? {
        builder = builder.preload(preload);
    }
    if let Some(on) = options.get("nodeIntegration")? {
        builder = builder.node_integration(on);
    }
    if let Some(on) = options.get("contextIsolation")? {
        builder = builder.context_isolation(on);
    }
    if let Some(on) = options.get("nodeIntegrationInSubFrames")? {
        builder = builder.node_integration_in_sub_frames(on);
    }
    if let Some(on) = options.get("sandbox")? {
        builder = builder.sandbox(on);
    }
    if let Some(arguments) = options.get::<_, Option<Vec<String>>>("additionalArguments")? {
        builder = builder.additional_arguments(arguments);
    }
    if let Some(on) = options.get("devTools")? {
        builder = builder.dev_tools(on);
    }
    if let Some(on) = options.get("webSecurity")? {
        builder = builder.web_security(on);
    }
    if let Some(on) = options.get("backgroundThrottling")? {
        builder = builder.background_throttling(on);
    }
    if let Some(partition) = options.get::<_, Option<String>>("partition")? {
        builder = builder.partition(partition);
    }
    if let Some(parent) = options.get::<_, Option<u32>>("parent")? {
        match window(parent) {
            Some(parent) => builder = builder.parent(&parent),
            None => return Err(Exception::throw_message(ctx, "the parent window is closed")),
        }
    }
    Ok(builder)
}

fn window_do(id: u32, action: String) {
    let Some(window) = window(id) else { return };
    match action.as_str() {
        "show" => window.show(),
        "show-inactive" => window.show_inactive(),
        "center" => window.center(),
        "hide" => window.hide(),
        "focus" => window.focus(),
        "minimize" => window.minimize(),
        "restore" => window.restore(),
        "maximize" => window.maximize(),
        "unmaximize" => window.unmaximize(),
        "on-top" => window.set_always_on_top(true),
        "not-on-top" => window.set_always_on_top(false),
        "close" => window.close(),
        "destroy" => window.destroy(),
        _ => {}
    }
}

fn window_resize(id: u32, width: u32, height: u32) {
    if let Some(window) = window(id) {
        window.set_size(width, height);
    }
}

fn window_move(id: u32, x: i32, y: i32) {
    if let Some(window) = window(id) {
        window.set_position(x, y);
    }
}

fn window_resizable(id: u32, resizable: bool) {
    if let Some(window) = window(id) {
        window.set_resizable(resizable);
    }
}

fn window_set_title(id: u32, title: String) {
    if let Some(window) = window(id) {
        window.set_title(title);
    }
}

/// What is known of the window now; nothing once it is gone.
fn window_state<'js>(ctx: Ctx<'js>, id: u32) -> Result<Option<Object<'js>>> {
    let Some(window) = window(id) else { return Ok(None) };
    let state = Object::new(ctx)?;
    let (width, height) = window.size();
    state.set("title", window.title())?;
    state.set("width", width)?;
    state.set("height", height)?;
    let (x, y) = window.position();
    state.set("x", x)?;
    state.set("y", y)?;
    state.set("minimized", window.is_minimized())?;
    state.set("maximized", window.is_maximized())?;
    state.set("onTop", window.is_always_on_top())?;
    state.set("resizable", window.is_resizable())?;
    state.set("visible", window.is_visible())?;
    state.set("focused", window.is_focused())?;
    state.set("destroyed", window.is_destroyed())?;
    Ok(Some(state))
}
