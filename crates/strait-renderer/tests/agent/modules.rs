//! The modules of Node's that preloads and pages have.

use strait_protocol::{ToMain, World};

use crate::host::{Case, Check, Host, Setup, same};

pub(crate) const CASES: &[Case] = &[
    ("pure modules of Node can be required", pure_modules),
    ("path works as Node's", paths),
    ("a page knows its file", file_names),
    ("a preload can be an ES module", module_preload),
    ("a preload that waits lets the page go on", waiting_preload),
    ("mistakes in modules are reported with their places", mistakes),
    ("packages of both kinds can be required and imported", packages),
];

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
        const util = require('util')
        seen.push(util.inspect({ a: [1, { b: { c: {} } }], p: Promise.resolve(1) }), util.format('%s is %d', 'x', 5, null))
        util.promisify((value, done) => done(null, value))('promised').then((value) => seen.push(value))
        require('timers').setImmediate((value) => seen.push(value), 'immediately')
        for (const name of ['net', 'node:net', 'constructor', '__proto__', 'strait:inspect', 'node:strait:inspect']) {
          try { require(name); seen.push(name) } catch (error) { seen.push(error.message.split(/: S|\\n/)[0]) }
        }";
    let expected = r#"[true,true,"heard",true,false,"file:///a%20b/50%25%23%3F.txt","/a b/50%#?.txt",true,"ERR_INVALID_URL_SCHEME","{ a: [ 1, { b: [Object] } ], p: Promise { <state unknown> } }","x is 5 null","Cannot find module 'net'","No such built-in module: node:net","Cannot find module 'constructor'","Cannot find module '__proto__'","Cannot find module 'strait:inspect'","No such built-in module: node:strait:inspect","promised","immediately"]"#;
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
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    let folder = folder.display();
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
            r#"["b.js","b","","b",""]"#.to_owned(),
        ),
        ("['a.b.c', '.a', 'a.', 'a', '..', 'a.b/c'].map(path.extname)", r#"[".c","",".","","",""]"#.to_owned()),
        ("path.parse('/a/b.c')", r#"{"root":"/","dir":"/a","base":"b.c","ext":".c","name":"b"}"#.to_owned()),
        (
            "[path.format(path.parse('/a/b.c')), path.format(path.parse('/b')), path.format({ name: 'x', ext: 'y' })]",
            r#"["/a/b.c","/b","x.y"]"#.to_owned(),
        ),
        (
            "(() => { try { path.join('a', 5) } catch (e) { return [e.code, e.message] } })()",
            r#"["ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received type number (5)"]"#.to_owned(),
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

/// What a page's policy forbids, modules of the preload must not need.
const STRICT: &str = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; script-src 'nonce-x'\"><script nonce=x>globalThis.ran = true</script>";

fn write_packages(host: &Host) {
    let files = [
        ("node_modules/both/package.json", r#"{ "exports": { "import": "./m.mjs", "require": "./c.cjs" } }"#),
        ("node_modules/both/m.mjs", "export default 'as a module'"),
        ("node_modules/both/c.cjs", "module.exports = 'as CommonJS'"),
        ("node_modules/old/package.json", r#"{ "main": "lib" }"#),
        ("node_modules/old/lib/index.js", "exports.named = 'named'; exports.lazy = () => import('both').then((ns) => ns.default)"),
        ("node_modules/new/package.json", r#"{ "type": "module", "exports": { ".": "./index.js", "./waits": "./waits.js" } }"#),
        (
            "node_modules/new/index.js",
            "import { sep } from 'path'\nexport let count = 0\nexport const add = () => { count++ }\nexport default sep",
        ),
        ("node_modules/new/waits.js", "export default await 1"),
        ("cycle-a.mjs", "import { b } from './cycle-b.mjs'\nexport function a () { return 'a' + b }"),
        ("cycle-b.mjs", "import { a } from './cycle-a.mjs'\nexport const b = typeof a"),
        ("values.json", r#"{ "value": 5 }"#),
    ];
    for (name, text) in files {
        let file = host.folder().join(name);
        std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("it can be made");
        std::fs::write(file, text).expect("it can be written");
    }
}

fn module_preload(host: &Host) -> Check {
    write_packages(host);
    let text = "import { ipcRenderer } from 'electron'
        import electron from 'electron/renderer'
        import path, { join } from 'node:path'
        import both from 'both'
        import old, { named } from 'old'
        import sep, { count, add } from 'new'
        import { a } from './cycle-a.mjs'
        import values from './values.json' with { type: 'json' }
        add()
        globalThis.seen = [ipcRenderer === electron.ipcRenderer, path.join === join, both, named, old.named, sep, count, a(), values.value]
        seen.push(process.type, typeof require, typeof exports, this === undefined, import.meta.filename === path.join(import.meta.dirname, 'p.mjs'))
        seen.push(import.meta.url === 'file://' + import.meta.filename, import.meta.resolve('both').endsWith('/both/m.mjs'), document.readyState)
        globalThis.later = async () => [(await import('./cycle-a.mjs')).a(), await old.lazy(), await import('nope').catch((error) => error.code)]
        export const unused = 1";
    let preload = host.write("p.mjs", text);
    let page = host.write("strict.html", STRICT);
    for shared in [false, true] {
        let world = if shared { World::Main } else { World::Isolated };
        let view = host.open_file(&page, Some(preload.clone()), &Setup { shared, ..Setup::default() })?;
        host.until_true(&view, World::Main, "globalThis.ran === true")?;
        let expected = r#"[true,true,"as a module","named","named","/",1,"afunction",5,"renderer","undefined","undefined",true,true,true,true,"loading"]"#;
        same("seen", &host.eval(&view, world, "return seen")?, expected)?;
        let later = r#"["afunction","as a module","ERR_MODULE_NOT_FOUND"]"#;
        same("later", &host.eval(&view, world, "return later()")?, later)?;
    }
    Ok(())
}

fn waiting_preload(host: &Host) -> Check {
    let preload = host.write(
        "waits.mjs",
        "globalThis.order = ['begins']
        const waits = new Promise((resolve) => { addEventListener('load', () => setTimeout(resolve, 1), { once: true }) })
        await waits
        order.push('ends', document.readyState)",
    );
    let page = host.write("waited.html", "<script>order.push('page')</script>");
    let view = host.open_file(&page, Some(preload), &Setup { shared: true, ..Setup::default() })?;
    host.until_true(&view, World::Main, "globalThis.order?.length === 4")?;
    same("order", &host.eval(&view, World::Main, "return order")?, r#"["begins","page","ends","complete"]"#)
}

fn mistakes(host: &Host) -> Check {
    host.write("broken.mjs", "export const fine = 1\n\nexport const = 2");
    host.write("thrown.mjs", "const fail = () => {\n  throw new TypeError('on purpose')\n}\nexport default fail()");
    let cases = [
        ("import './broken.mjs'", "SyntaxError: Unexpected token\n    at file://{}/broken.mjs:3:14"),
        ("import './thrown.mjs'", "TypeError: on purpose\n    at fail (file://{}/thrown.mjs:2:"),
        ("\nimport {\n  nothing\n} from './thrown.mjs'", "does not provide an export named 'nothing'\n    at file://{}/failing.mjs:3"),
        ("import 'nope'", "Cannot find package 'nope' imported from {}/failing.mjs"),
        ("import 'node:net'", "No such built-in module: node:net: Strait's pages have electron, process, assert"),
        ("await null\n\nnull.x", "TypeError: null is not an object (evaluating 'null.x')\n    at file://{}/failing.mjs:3:"),
    ];
    let folder = host.folder().display().to_string();
    for (source, expected) in cases {
        let preload = host.write("failing.mjs", source);
        let page = host.write("failing.html", "<script>globalThis.ran = true</script>");
        let view = host.open_file(&page, Some(preload), &Setup::default())?;
        let text = host.heard("PreloadError", |said| match &said.message {
            ToMain::PreloadError { page, message, .. } if *page == view.page && said.agent == view.agent => Some(message.clone()),
            _ => None,
        })?;
        if !text.contains(&expected.replace("{}", &folder)) {
            return Err(format!("{source} is reported as {text}"));
        }
        host.until_true(&view, World::Main, "globalThis.ran === true")?;
    }
    let view = host.open(Setup { preload: Some("import { x } from 'y'"), ..Setup::default() })?;
    let text = host.heard("PreloadError", |said| match &said.message {
        ToMain::PreloadError { page, message, .. } if *page == view.page && said.agent == view.agent => Some(message.clone()),
        _ => None,
    })?;
    if text.contains("is an ES module, and a preload's name must end in .mjs") { Ok(()) } else { Err(text) }
}

fn packages(host: &Host) -> Check {
    write_packages(host);
    let script = "globalThis.seen = [require('both'), require('old').named, require('./cycle-a.mjs').a(), require('./values.json').value]
        const fresh = require('new')
        fresh.add()
        seen.push(fresh.default, fresh.count, fresh.__esModule, Object.keys(require('./cycle-b.mjs')).join(), require('new') === fresh)
        seen.push(require.resolve('both').endsWith('/c.cjs'), require.resolve('path'))
        for (const name of ['new/waits', 'new/hidden', 'nope', './nope', 'child_process']) {
          try { seen.push(require(name)) } catch (error) { seen.push(error.code) }
        }
        require('old').lazy().then((value) => { seen.push(value); globalThis.done = true })";
    let page = format!("<script>{{ {script} }}</script>");
    let preloaded = host.open(Setup { preload: Some(script), ..Setup::default() })?;
    let integrated = host.open(Setup { html: &page, shared: true, node: true, ..Setup::default() })?;
    let expected = r#"["as CommonJS","named","afunction",5,"/",1,true,"b",true,true,"path","ERR_REQUIRE_ASYNC_MODULE","ERR_PACKAGE_PATH_NOT_EXPORTED","MODULE_NOT_FOUND","MODULE_NOT_FOUND","MODULE_NOT_FOUND","as a module"]"#;
    for (view, world) in [(preloaded, World::Isolated), (integrated, World::Main)] {
        host.until_true(&view, world, "globalThis.done === true")?;
        same("seen", &host.eval(&view, world, "return seen")?, expected)?;
    }
    Ok(())
}
