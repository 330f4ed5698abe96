//! What the engine has to survive, whatever brings it: an earlier one did not.

use rquickjs::{ArrayBuffer, CatchResultExt, Context, Ctx, Function, Runtime, Type, Value};

/// The collector runs wherever it may, while asynchronous functions wait. All that is known of each is a closure which wakes it.
const WAITING: &str = r"
    let due = []
    globalThis.later = (callback) => due.push(callback)
    globalThis.tick = () => { gc(); const now = due; due = []; for (const callback of now) { callback(); gc() } }
    globalThis.ended = 0

    async function waits () { let wake; const woken = new Promise((resolve) => { wake = resolve }); later(() => wake('woken')); return await woken }

    async function* generates (source) {
      const queue = []
      let wake = () => {}
      source.give = (item) => { queue.push(item); wake() }
      try {
        while (true) {
          while (queue.length > 0) yield queue.shift()
          await new Promise((resolve) => { wake = resolve })
        }
      } finally { source.closed = true }
    }

    ;(async () => {
      for (let n = 0; n < 50; n++) {
        if (await waits() !== 'woken') throw new Error('woken by what?')
        const source = {}
        later(() => { source.give('a'); later(() => source.give('b')) })
        let heard = ''
        for await (const item of generates(source)) if ((heard += item) === 'ab') break
        if (!source.closed) throw new Error('not closed')
        generates({}).next()
        ended++
      }
    })()
";

fn with_engine(run: impl FnOnce(Ctx<'_>, &dyn Fn())) {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        ctx.globals().set("gc", Function::new(ctx.clone(), |ctx: Ctx<'_>| ctx.run_gc()).unwrap()).unwrap();
        let jobs = {
            let ctx = ctx.clone();
            move || while ctx.execute_pending_job() {}
        };
        run(ctx, &jobs);
    });
}

#[test]
fn functions_that_wait_outlive_the_collector() {
    with_engine(|ctx, jobs| {
        ctx.eval::<(), _>(WAITING).catch(&ctx).unwrap();
        for _ in 0..500 {
            ctx.eval::<(), _>("tick()").catch(&ctx).unwrap();
            jobs();
        }
        assert_eq!(ctx.globals().get::<_, u32>("ended").unwrap(), 50);
    });
}

#[test]
fn buffers_of_ours_may_be_transferred_to_other_lengths() {
    with_engine(|ctx, _| {
        for size in [1usize, 10, 70_000] {
            let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
            ctx.globals().set("given", ArrayBuffer::new(ctx.clone(), bytes).unwrap()).unwrap();
            let check = r"
                const size = given.byteLength
                const looks = (buffer, length) => buffer.byteLength === length && !buffer.resizable &&
                    new Uint8Array(buffer).every((byte, at) => byte === (at < size ? at & 255 : 0))
                const longer = given.transfer(size + 5)
                const right = looks(longer, size + 5)
                const same = longer.transfer()
                const half = Math.ceil(size / 2)
                const shorter = same.transfer(half)
                const kept = looks(shorter, half)
                const none = shorter.transfer(0)
                gc()
                right && kept && given.detached && same.detached && none.byteLength === 0
            ";
            assert!(ctx.eval::<bool, _>(format!("{{ {check} }}")).catch(&ctx).unwrap(), "{size} bytes");
        }
    });
}

#[test]
fn strings_in_pieces_are_strings() {
    with_engine(|ctx, _| {
        let pieces: String = ctx.eval("let text = ''; for (let n = 0; n < 5000; n++) text += n + ','; text").unwrap();
        assert!(pieces.ends_with("4998,4999,") && pieces.len() == 23_890, "{}", pieces.len());
        let value: Value<'_> = ctx.eval("text + text").unwrap();
        assert!(value.is_string() && value.type_of() == Type::String);
    });
}
