//! The modules of Node's that preloads and pages have.

use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, same};

pub(crate) const CASES: &[Case] =
    &[("pure modules of Node can be required", pure_modules), ("path works as Node's", paths), ("a page knows its file", file_names)];

fn pure_modules(host: &Host) -> Check {
    let script = "globalThis.seen = []
        const EventEmitter = require('events')
        seen.push(EventEmitter === require('node:events').EventEmitter)
        class Own extends EventEmitter {}
        const own = new Own()
        own.once('x', function (value) { seen.push(this === own, value) })
        seen.push(own.emit('x', 'heard'), own.emit('x', 'again'))
        const url = require('url')
        seen.push(url.pathToFileURL('/a b/50%#?.txt').href, url.fileURLToPath('file:///a%20b/50%25%23%3F.txt'), url.URL === URL)
        try { url.fileURLToPath('http://x/') } catch (error) { seen.push(error.code) }
        require('timers').setImmediate((value) => seen.push(value), 'immediately')
        for (const name of ['fs', 'node:fs', 'constructor', '__proto__', 'node:electron']) {
          try { require(name); seen.push(name) } catch (error) { seen.push(error.message.split(' (')[0]) }
        }";
    let expected = r#"[true,true,"heard",true,false,"file:///a%20b/50%25%23%3F.txt","/a b/50%#?.txt",true,"ERR_INVALID_URL_SCHEME","Cannot find module 'fs'","Cannot find module 'node:fs'","Cannot find module 'constructor'","Cannot find module '__proto__'","Cannot find module 'node:electron'","immediately"]"#;
    let page = format!("<script>{{ {script} }}</script>");
    let preloaded = host.open(Setup { preload: Some(script), ..Setup::default() })?;
    let integrated = host.open(Setup { html: &page, shared: true, node: true, ..Setup::default() })?;
    for (view, world) in [(preloaded, World::Isolated), (integrated, World::Main)] {
        host.until_true(&view, world, "globalThis.seen?.at(-1) === 'immediately'")?;
        same("modules", &host.eval(&view, world, "return seen")?, expected)?;
    }
    Ok(())
}

fn paths(host: &Host) -> Check {
    let view = host.open(Setup { preload: Some("globalThis.path = require('path')"), ..Setup::default() })?;
    let folder = host.folder().display();
    let checks = [
        ("path === path.posix && path.sep + path.delimiter", "\"/:\"".to_owned()),
        (
            "['', '.', './', 'a/..', 'a/../', '/..', '../../a/./b//c/..', '//a/', '/'].map(path.normalize)",
            r#"[".",".","./",".","./","/","../../a/b","/a/","/"]"#.to_owned(),
        ),
        (
            "[path.join(), path.join('', ''), path.join('a', '', '../b'), path.join('/a', '/b', 'c/')]",
            r#"[".",".","b","/a/b/c/"]"#.to_owned(),
        ),
        (
            "[path.resolve('/a', 'b', '../c'), path.resolve('/a', '/b'), path.resolve('x/..'), path.resolve()]",
            format!(r#"["/a/c","/b","{folder}","{folder}"]"#),
        ),
        ("[path.relative('/a/b/c', '/a/d'), path.relative('/a', '/a'), path.relative('/a', '/a/b')]", r#"["../../d","","b"]"#.to_owned()),
        ("['/a/b', '/a', 'a', 'a/b/', '/', ''].map(path.dirname)", r#"["/a","/",".","a","/","."]"#.to_owned()),
        (
            "[path.basename('/a/b.js'), path.basename('/a/b.js', '.js'), path.basename('.js', '.js'), path.basename('a/b/'), path.basename('/')]",
            r#"["b.js","b",".js","b",""]"#.to_owned(),
        ),
        ("['a.b.c', '.a', 'a.', 'a', '..', 'a.b/c'].map(path.extname)", r#"[".c","",".","","",""]"#.to_owned()),
        ("path.parse('/a/b.c')", r#"{"root":"/","dir":"/a","base":"b.c","ext":".c","name":"b"}"#.to_owned()),
        (
            "[path.format(path.parse('/a/b.c')), path.format(path.parse('/b')), path.format({ name: 'x', ext: 'y' })]",
            r#"["/a/b.c","/b","x.y"]"#.to_owned(),
        ),
        (
            "(() => { try { path.join('a', 5) } catch (e) { return [e.code, e.message] } })()",
            r#"["ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received type number"]"#.to_owned(),
        ),
    ];
    checks
        .iter()
        .try_for_each(|(script, expected)| same(script, &host.eval(&view, World::Isolated, &format!("return {script}"))?, expected))
}

fn file_names(host: &Host) -> Check {
    let file = host.write(
        "with a space.html",
        "<script>const { join } = require('path'); globalThis.seen = [__dirname, __filename, join(__dirname, 'x')]</script>",
    );
    let view = host.open_file(&file, None, &Setup { shared: true, node: true, ..Setup::default() })?;
    host.until_true(&view, World::Main, "globalThis.seen !== undefined")?;
    let folder = host.folder().display();
    let expected = format!(r#"["{folder}","{folder}/with a space.html","{folder}/x"]"#);
    same("names", &host.eval(&view, World::Main, "return seen")?, &expected)
}
