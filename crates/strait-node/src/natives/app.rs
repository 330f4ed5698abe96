//! Natives for the application and its windows.

use std::env;

use napi::{Error, Result};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use strait::{BrowserWindow, BrowserWindowBuilder, ProcessKind, ProcessMetrics, WindowOpenResponse};
use strait_node_core::Value;

use super::{Call, Natives};
use crate::host::Host;

pub(super) fn register(natives: &mut Natives<'_>) -> Result<()> {
    natives.set("appQuit", |call| {
        call.host.app.quit();
        Ok(())
    })?;
    natives.set("appExit", |call| {
        call.host.app.exit(call.get(0)?);
        Ok(())
    })?;
    natives.set("appPath", |call| Ok(app_path(&call.host, &call.get::<String>(0)?)))?;
    natives.set("appSetUserData", |call| {
        call.host.app.set_user_data(call.get::<String>(0)?);
        Ok(())
    })?;
    natives.set("appMetrics", |call| Ok(Value::from(call.host.app.metrics().iter().map(metrics).collect::<Vec<_>>())))?;
    natives.set("instanceRequest", |call| {
        let asked = call.host.app.request_single_instance_lock_encoded(call.written(0)?.to_vec());
        asked.map_err(|error| Error::from_reason(format!("can't look for other instances of the program: {error}")))
    })?;
    natives.set("instanceHas", |call| Ok(call.host.app.has_single_instance_lock()))?;
    natives.set("instanceRelease", |call| {
        call.host.app.release_single_instance_lock();
        Ok(())
    })?;
    natives.set("windowCreate", |call| {
        let plan: WindowPlan = call.plain(0)?;
        Ok(plan.builder(&call.host)?.build(&call.host.app).id().get())
    })?;
    natives.set("windowOpenAllow", window_open_allow)?;
    natives.set("windowDo", window_do)?;
    natives.set("windowResize", |call| {
        if let Some(window) = call.host.window(call.get(0)?) {
            window.set_size(call.get(1)?, call.get(2)?);
        }
        Ok(())
    })?;
    natives.set("windowMove", |call| {
        if let Some(window) = call.host.window(call.get(0)?) {
            window.set_position(call.get(1)?, call.get(2)?);
        }
        Ok(())
    })?;
    natives.set("windowResizable", |call| {
        if let Some(window) = call.host.window(call.get(0)?) {
            window.set_resizable(call.get(1)?);
        }
        Ok(())
    })?;
    natives.set("windowSetTitle", |call| {
        if let Some(window) = call.host.window(call.get(0)?) {
            window.set_title(call.get::<String>(1)?);
        }
        Ok(())
    })?;
    natives.set("windowState", |call| Ok(call.host.window(call.get(0)?).map(|window| Value::from(window_state(&window)))))
}

/// A folder by Electron's name for it; `None` for an unknown name.
fn app_path(host: &Host, name: &str) -> Option<String> {
    let variable = |name: &str| env::var(name).ok().filter(|value| value.starts_with('/'));
    let home = variable("HOME").unwrap_or_else(|| "/".into());
    let config = variable("XDG_CONFIG_HOME").unwrap_or_else(|| format!("{home}/.config"));
    let user_folder = |key: &str, default: &str| user_folder(&config, &home, key).unwrap_or_else(|| format!("{home}/{default}"));
    let own = host.app.user_data().to_string_lossy().into_owned();
    Some(match name {
        "home" => home,
        "appData" => config,
        "userData" | "sessionData" => own,
        "logs" => format!("{own}/logs"),
        "crashDumps" => format!("{own}/Crashpad"),
        "temp" => env::temp_dir().to_string_lossy().into_owned(),
        "assets" => host.root.to_string_lossy().into_owned(),
        "exe" | "module" => env::current_exe().unwrap_or_default().to_string_lossy().into_owned(),
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

/// A process's metrics, in Electron's form.
fn metrics(process: &ProcessMetrics) -> Json {
    let (kind, service) = match process.kind {
        ProcessKind::Main => ("Browser", None),
        ProcessKind::Renderer => ("Tab", None),
        ProcessKind::Gpu => ("GPU", None),
        ProcessKind::Network => ("Utility", Some("network.mojom.NetworkService")),
        _ => ("Utility", Some(process.name.as_str())),
    };
    let mut shaped = json!({
        "pid": process.pid,
        "type": kind,
        "creationTime": process.creation_time,
        // The system does not count wake-ups.
        "cpu": { "percentCPUUsage": process.cpu_percent, "cumulativeCPUUsage": process.cpu_seconds, "idleWakeupsPerSecond": 0 },
        "memory": { "workingSetSize": process.working_set, "peakWorkingSetSize": process.peak_working_set },
    });
    if let Some(service) = service {
        shaped["serviceName"] = service.into();
        shaped["name"] = if process.kind == ProcessKind::Network { "Network Service".into() } else { service.into() };
    }
    shaped
}

/// The options of a window. JavaScript has checked them; an option that was left out is null.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WindowPlan {
    width: Option<u32>,
    height: Option<u32>,
    x: Option<i32>,
    y: Option<i32>,
    show: Option<bool>,
    resizable: Option<bool>,
    title: Option<String>,
    preload: Option<String>,
    node_integration: Option<bool>,
    context_isolation: Option<bool>,
    node_integration_in_sub_frames: Option<bool>,
    sandbox: Option<bool>,
    additional_arguments: Option<Vec<String>>,
    dev_tools: Option<bool>,
    web_security: Option<bool>,
    background_throttling: Option<bool>,
    partition: Option<String>,
    parent: Option<u32>,
}

impl WindowPlan {
    fn builder(self, host: &Host) -> Result<BrowserWindowBuilder> {
        fn set<T>(
            builder: BrowserWindowBuilder,
            value: Option<T>,
            set: impl FnOnce(BrowserWindowBuilder, T) -> BrowserWindowBuilder,
        ) -> BrowserWindowBuilder {
            match value {
                Some(value) => set(builder, value),
                None => builder,
            }
        }
        let mut builder = BrowserWindow::builder();
        if self.width.is_some() || self.height.is_some() {
            builder = builder.size(self.width.unwrap_or(800), self.height.unwrap_or(600));
        }
        builder = set(builder, self.x.zip(self.y), |builder, (x, y)| builder.position(x, y));
        builder = set(builder, self.show, BrowserWindowBuilder::show);
        builder = set(builder, self.resizable, BrowserWindowBuilder::resizable);
        builder = set(builder, self.title, BrowserWindowBuilder::title);
        builder = set(builder, self.preload, BrowserWindowBuilder::preload);
        builder = set(builder, self.node_integration, BrowserWindowBuilder::node_integration);
        builder = set(builder, self.context_isolation, BrowserWindowBuilder::context_isolation);
        builder = set(builder, self.node_integration_in_sub_frames, BrowserWindowBuilder::node_integration_in_sub_frames);
        builder = set(builder, self.sandbox, BrowserWindowBuilder::sandbox);
        builder = set(builder, self.additional_arguments, BrowserWindowBuilder::additional_arguments);
        builder = set(builder, self.dev_tools, BrowserWindowBuilder::dev_tools);
        builder = set(builder, self.web_security, BrowserWindowBuilder::web_security);
        builder = set(builder, self.background_throttling, BrowserWindowBuilder::background_throttling);
        builder = set(builder, self.partition, BrowserWindowBuilder::partition);
        if let Some(parent) = self.parent {
            let parent = host.window(parent).ok_or_else(|| Error::from_reason("the parent window is closed"))?;
            builder = builder.parent(&parent);
        }
        Ok(builder)
    }
}

/// `(plan, outlivesOpener)`: allows the window that the script decides about, with these options.
/// Returns its number; 0 if the page is gone.
fn window_open_allow(call: &Call<'_>) -> Result<u32> {
    let overrides = Box::new(call.plain::<WindowPlan>(0)?.builder(&call.host)?);
    let outlives_opener = call.get(1)?;
    let request = call.host.open_request.take();
    let window = request.and_then(|request| request.respond(WindowOpenResponse::Allow { overrides, outlives_opener }));
    Ok(window.map_or(0, |window| window.id().get()))
}

/// `(window, action)`
fn window_do(call: &Call<'_>) -> Result<()> {
    let Some(window) = call.host.window(call.get(0)?) else { return Ok(()) };
    match call.get::<String>(1)?.as_str() {
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
    Ok(())
}

/// The window's present state.
fn window_state(window: &BrowserWindow) -> Json {
    let ((width, height), (x, y)) = (window.size(), window.position());
    json!({
        "title": window.title(),
        "width": width,
        "height": height,
        "x": x,
        "y": y,
        "minimized": window.is_minimized(),
        "maximized": window.is_maximized(),
        "onTop": window.is_always_on_top(),
        "resizable": window.is_resizable(),
        "visible": window.is_visible(),
        "focused": window.is_focused(),
        "destroyed": window.is_destroyed(),
    })
}
