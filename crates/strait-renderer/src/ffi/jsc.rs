//! JavaScriptCore's C API: contexts, values, and calls in both directions.
//!
//! Values are used on the page's thread only. A [`Value`] is borrowed from a running call;
//! JavaScriptCore scans the stack and keeps it alive. An [`Object`] is protected and may be stored.

use std::cell::Cell;
use std::marker::PhantomData;
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::ptr;

use strait_ports::copy_shared_bytes;

use super::guarded;

pub(super) enum OpaqueContext {}
pub(super) enum OpaqueGroup {}
pub(super) enum OpaqueValue {}
enum OpaqueString {}
enum OpaqueClass {}

pub(super) type RawContext = *mut OpaqueContext;
pub(super) type RawValue = *mut OpaqueValue;
type RawString = *mut OpaqueString;

type CallAsFunction = extern "C" fn(
    RawContext,
    function: RawValue,
    this: RawValue,
    count: usize,
    arguments: *const RawValue,
    exception: *mut RawValue,
) -> RawValue;

#[repr(C)]
struct ClassDefinition {
    version: c_int,
    attributes: c_uint,
    class_name: *const c_char,
    parent_class: *const c_void,
    static_values: *const c_void,
    static_functions: *const c_void,
    initialize: *const c_void,
    finalize: *const c_void,
    has_property: *const c_void,
    get_property: *const c_void,
    set_property: *const c_void,
    delete_property: *const c_void,
    get_property_names: *const c_void,
    call_as_function: Option<CallAsFunction>,
    call_as_constructor: *const c_void,
    has_instance: *const c_void,
    convert_to_type: *const c_void,
}

const CLASS_ATTRIBUTE_NO_AUTOMATIC_PROTOTYPE: c_uint = 2;
/// The most arguments of the agent's own calls into JavaScript.
const MOST_ARGUMENTS: usize = 8;
const TYPE_BOOLEAN: c_int = 2;
const TYPE_NUMBER: c_int = 3;
const TYPE_STRING: c_int = 4;
const TYPE_OBJECT: c_int = 5;
pub(super) const TYPED_ARRAY_UINT8: c_int = 3;
pub(super) const TYPED_ARRAY_UINT32: c_int = 6;
const TYPED_ARRAY_ARRAY_BUFFER: c_int = 9;

unsafe extern "C" {
    fn JSGlobalContextRetain(context: RawContext) -> RawContext;
    fn JSGlobalContextRelease(context: RawContext);
    fn JSContextGetGlobalObject(context: RawContext) -> RawValue;
    fn JSSynchronousGarbageCollectForDebugging(context: RawContext);
    fn JSReportExtraMemoryCost(context: RawContext, size: usize);
    fn JSClassCreate(definition: *const ClassDefinition) -> *mut OpaqueClass;
    fn JSObjectMake(context: RawContext, class: *mut OpaqueClass, data: *mut c_void) -> RawValue;
    fn JSObjectGetPrivate(object: RawValue) -> *mut c_void;
    fn JSObjectGetProperty(context: RawContext, object: RawValue, name: RawString, exception: *mut RawValue) -> RawValue;
    fn JSObjectSetProperty(
        context: RawContext,
        object: RawValue,
        name: RawString,
        value: RawValue,
        attributes: c_uint,
        exception: *mut RawValue,
    );
    fn JSObjectCallAsFunction(
        context: RawContext,
        function: RawValue,
        this: RawValue,
        count: usize,
        arguments: *const RawValue,
        exception: *mut RawValue,
    ) -> RawValue;
    fn JSObjectCallAsConstructor(
        context: RawContext,
        constructor: RawValue,
        count: usize,
        arguments: *const RawValue,
        exception: *mut RawValue,
    ) -> RawValue;
    fn JSObjectMakeError(context: RawContext, count: usize, arguments: *const RawValue, exception: *mut RawValue) -> RawValue;
    fn JSObjectGetTypedArrayBytesPtr(context: RawContext, object: RawValue, exception: *mut RawValue) -> *mut c_void;
    fn JSObjectGetTypedArrayByteLength(context: RawContext, object: RawValue, exception: *mut RawValue) -> usize;
    fn JSObjectGetTypedArrayByteOffset(context: RawContext, object: RawValue, exception: *mut RawValue) -> usize;
    fn JSValueGetTypedArrayType(context: RawContext, value: RawValue, exception: *mut RawValue) -> c_int;
    fn JSEvaluateScript(
        context: RawContext,
        script: RawString,
        this: RawValue,
        url: RawString,
        starting_line: c_int,
        exception: *mut RawValue,
    ) -> RawValue;
    fn JSValueGetType(context: RawContext, value: RawValue) -> c_int;
    fn JSValueMakeUndefined(context: RawContext) -> RawValue;
    fn JSValueMakeBoolean(context: RawContext, value: bool) -> RawValue;
    fn JSValueMakeNumber(context: RawContext, value: f64) -> RawValue;
    fn JSValueMakeString(context: RawContext, value: RawString) -> RawValue;
    fn JSValueToBoolean(context: RawContext, value: RawValue) -> bool;
    fn JSValueToNumber(context: RawContext, value: RawValue, exception: *mut RawValue) -> f64;
    fn JSValueToStringCopy(context: RawContext, value: RawValue, exception: *mut RawValue) -> RawString;
    fn JSValueProtect(context: RawContext, value: RawValue);
    fn JSValueUnprotect(context: RawContext, value: RawValue);
    fn JSStringCreateWithCharacters(characters: *const u16, count: usize) -> RawString;
    fn JSStringGetLength(string: RawString) -> usize;
    fn JSStringGetCharactersPtr(string: RawString) -> *const u16;
    fn JSStringRelease(string: RawString);
}

/// A JavaScriptCore string that this object owns.
struct Text(RawString);

impl Text {
    fn new(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        // SAFETY: pointer and count describe the vector; JavaScriptCore copies the characters.
        Self(unsafe { JSStringCreateWithCharacters(units.as_ptr(), units.len()) })
    }

    fn to_rust(&self) -> String {
        // SAFETY: this object owns the string; the characters live as long as the string.
        let units = unsafe { std::slice::from_raw_parts(JSStringGetCharactersPtr(self.0), JSStringGetLength(self.0)) };
        String::from_utf16_lossy(units)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: owned.
        unsafe { JSStringRelease(self.0) }
    }
}

/// The end of a script or a call: its value, or its exception.
pub(crate) type Completion<'a> = Result<Value<'a>, Value<'a>>;

/// A realm's global context, retained.
pub(crate) struct Context(RawContext);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: retained when made.
        unsafe { JSGlobalContextRelease(self.0) }
    }
}

impl Clone for Context {
    fn clone(&self) -> Self {
        // SAFETY: live, since this object retains it.
        unsafe { Self::retain(self.0) }
    }
}

impl Context {
    /// # Safety
    /// `raw` is a live global context.
    pub(super) unsafe fn retain(raw: RawContext) -> Self {
        // SAFETY: by the caller's promise.
        Self(unsafe { JSGlobalContextRetain(raw) })
    }

    /// # Safety
    /// `raw` is a live global context that has been retained for the caller.
    pub(super) unsafe fn own(raw: RawContext) -> Self {
        Self(raw)
    }

    /// The global object (WebKit's window proxy) as an identity: equal for equal frames and worlds.
    pub(crate) fn global_identity(&self) -> usize {
        // SAFETY: live context.
        unsafe { JSContextGetGlobalObject(self.0) as usize }
    }

    /// The global object.
    pub(super) fn global(&self) -> Value<'_> {
        // SAFETY: live context.
        Value::new(self.0, unsafe { JSContextGetGlobalObject(self.0) })
    }

    /// Collects all garbage of the process's engine before it returns.
    pub(crate) fn collect_garbage(&self) {
        // SAFETY: live context. A native may call it: the engine scans the stack for values in use.
        unsafe { JSSynchronousGarbageCollectForDebugging(self.0) }
    }

    /// Reports `bytes` of memory outside the heap to the engine, which counts them when it
    /// schedules garbage collection.
    pub(crate) fn report_memory(&self, bytes: usize) {
        // SAFETY: live context.
        unsafe { JSReportExtraMemoryCost(self.0, bytes) }
    }

    /// Whether these two are the same realm.
    pub(crate) fn is_same(&self, other: &Context) -> bool {
        self.0 == other.0
    }

    /// Runs a script. Stacks show `url` and `line` for its first line.
    pub(crate) fn evaluate(&self, script: &str, url: &str, line: u32) -> Completion<'_> {
        let (script, url) = (Text::new(script), Text::new(url));
        let mut exception = ptr::null_mut();
        // SAFETY: live context and strings; a null `this` means the global object.
        let value = unsafe { JSEvaluateScript(self.0, script.0, ptr::null_mut(), url.0, line as c_int, &mut exception) };
        self.finish(value, exception)
    }

    fn finish(&self, value: RawValue, exception: RawValue) -> Completion<'_> {
        if !exception.is_null() {
            return Err(Value::new(self.0, exception));
        }
        // SAFETY: live context.
        let value = if value.is_null() { unsafe { JSValueMakeUndefined(self.0) } } else { value };
        Ok(Value::new(self.0, value))
    }

    /// A plain object with one callable property per name. A call runs the handler of
    /// [`install_native_handler`] with `tag` and the property's index.
    pub(crate) fn natives<'n>(&self, tag: u32, names: impl Iterator<Item = &'n str>) -> Value<'_> {
        // SAFETY: live context; a null class makes a plain object; the private data of the callables is a number, never followed.
        unsafe {
            let object = JSObjectMake(self.0, ptr::null_mut(), ptr::null_mut());
            for (index, name) in names.enumerate() {
                let data = (u64::from(tag) << 8 | index as u64) as usize;
                let function = JSObjectMake(self.0, native_class(), data as *mut c_void);
                let name = Text::new(name);
                JSObjectSetProperty(self.0, object, name.0, function, 0, ptr::null_mut());
            }
            Value::new(self.0, object)
        }
    }

    /// `true` or `false` as a value.
    pub(crate) fn boolean(&self, value: bool) -> Value<'_> {
        // SAFETY: live context.
        Value::new(self.0, unsafe { JSValueMakeBoolean(self.0, value) })
    }

    /// A number as a value.
    pub(crate) fn number(&self, value: f64) -> Value<'_> {
        // SAFETY: live context.
        Value::new(self.0, unsafe { JSValueMakeNumber(self.0, value) })
    }

    /// A string as a value.
    pub(crate) fn string(&self, value: &str) -> Value<'_> {
        let text = Text::new(value);
        // SAFETY: live context and string.
        Value::new(self.0, unsafe { JSValueMakeString(self.0, text.0) })
    }
}

/// A value on the stack of the running call.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a> {
    context: RawContext,
    raw: RawValue,
    _life: PhantomData<&'a ()>,
}

impl<'a> Value<'a> {
    pub(super) fn new(context: RawContext, raw: RawValue) -> Self {
        Self { context, raw, _life: PhantomData }
    }

    fn kind(&self) -> c_int {
        // SAFETY: a live value of a live context.
        unsafe { JSValueGetType(self.context, self.raw) }
    }

    pub(super) fn context(&self) -> RawContext {
        self.context
    }

    pub(super) fn raw(&self) -> RawValue {
        self.raw
    }

    /// The same value for the length of the running native call, whose stack keeps it alive.
    pub(crate) fn rebind<'b>(&self, call: &Args<'b>) -> Value<'b> {
        Value::new(call.context, self.raw)
    }

    /// Whether this is an object.
    pub(crate) fn is_object(&self) -> bool {
        self.kind() == TYPE_OBJECT
    }

    /// The number, if it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        // SAFETY: a number converts without running code.
        (self.kind() == TYPE_NUMBER).then(|| unsafe { JSValueToNumber(self.context, self.raw, ptr::null_mut()) })
    }

    /// The boolean, if it is one.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        // SAFETY: converting to a boolean never runs code.
        (self.kind() == TYPE_BOOLEAN).then(|| unsafe { JSValueToBoolean(self.context, self.raw) })
    }

    /// The string, if it is one (no conversion).
    pub(crate) fn as_string(&self) -> Option<String> {
        if self.kind() == TYPE_STRING { self.to_text() } else { None }
    }

    /// `String(value)`. This runs the value's own code; `None` if that throws.
    pub(crate) fn to_text(self) -> Option<String> {
        let mut exception = ptr::null_mut();
        // SAFETY: live value; an exception makes the result null.
        let text = unsafe { JSValueToStringCopy(self.context, self.raw, &mut exception) };
        if text.is_null() { None } else { Some(Text(text).to_rust()) }
    }

    /// The object's address, as an identity to compare; it is never followed.
    pub(crate) fn identity(&self) -> usize {
        self.raw as usize
    }

    /// A property of an object. This runs getters; `None` if the value is not an object or the
    /// getter throws.
    pub(crate) fn property(&self, name: &str) -> Option<Value<'a>> {
        if !self.is_object() {
            return None;
        }
        let name = Text::new(name);
        let mut exception = ptr::null_mut();
        // SAFETY: a live object.
        let raw = unsafe { JSObjectGetProperty(self.context, self.raw, name.0, &mut exception) };
        (exception.is_null() && !raw.is_null()).then(|| Value::new(self.context, raw))
    }

    /// Whether this is an ArrayBuffer.
    pub(super) fn is_array_buffer(&self) -> bool {
        // SAFETY: a live value of a live context.
        unsafe { JSValueGetTypedArrayType(self.context, self.raw, ptr::null_mut()) == TYPED_ARRAY_ARRAY_BUFFER }
    }

    /// `new value(...arguments)` with at most [`MOST_ARGUMENTS`]; `None` if the value is not a
    /// constructor, or throws.
    pub(super) fn construct(&self, arguments: &[Value<'_>]) -> Option<Value<'a>> {
        if !self.is_object() {
            return None;
        }
        // The arguments are on the stack, as in `Object::call`.
        let mut raw = [ptr::null_mut(); MOST_ARGUMENTS];
        raw.iter_mut().zip(arguments).for_each(|(place, argument)| *place = argument.raw);
        let mut exception = ptr::null_mut();
        let count = arguments.len().min(MOST_ARGUMENTS);
        // SAFETY: a live object; the arguments are of the same virtual machine.
        let made = unsafe { JSObjectCallAsConstructor(self.context, self.raw, count, raw.as_ptr(), &mut exception) };
        (exception.is_null() && !made.is_null()).then(|| Value::new(self.context, made))
    }

    /// Keeps an object beyond the running call.
    pub(crate) fn protect(&self, context: &Context) -> Option<Object> {
        self.is_object().then(|| {
            // SAFETY: a live object; unprotected when the `Object` is dropped, with the context still retained.
            unsafe { JSValueProtect(context.0, self.raw) };
            Object { context: context.clone(), raw: self.raw }
        })
    }

    /// The address and the number of elements of a typed array of this kind, whose elements have
    /// `width` bytes.
    pub(super) fn elements(&self, kind: c_int, width: usize) -> Option<(*mut c_void, usize)> {
        if !self.is_object() {
            return None;
        }
        // SAFETY: a live object; its type is checked first. The pointer excludes the view's offset,
        // so views with an offset are refused.
        unsafe {
            if JSValueGetTypedArrayType(self.context, self.raw, ptr::null_mut()) != kind
                || JSObjectGetTypedArrayByteOffset(self.context, self.raw, ptr::null_mut()) != 0
            {
                return None;
            }
            let bytes = JSObjectGetTypedArrayBytesPtr(self.context, self.raw, ptr::null_mut());
            let length = JSObjectGetTypedArrayByteLength(self.context, self.raw, ptr::null_mut());
            (!bytes.is_null()).then_some((bytes, length / width))
        }
    }

    /// Copies the start of a `Uint8Array` to `target`; false if the array is shorter.
    pub(crate) fn copy_to(&self, target: &mut [u8]) -> bool {
        let Some((pointer, capacity)) = self.elements(TYPED_ARRAY_UINT8, 1) else { return false };
        if target.len() > capacity {
            return false;
        }
        // SAFETY: JavaScriptCore guarantees pointer and length, and no script of this thread runs
        // meanwhile; the target is Rust's memory, which no typed array shows. A page's array may
        // lie in a `SharedArrayBuffer`, which its workers write at the same time.
        unsafe { copy_shared_bytes(pointer.cast::<u8>(), target) };
        true
    }

    /// A copy of the first `count` elements of a `Uint32Array`.
    pub(crate) fn words(&self, count: usize) -> Option<Vec<u32>> {
        if count == 0 {
            return Some(Vec::new());
        }
        let (pointer, capacity) = self.elements(TYPED_ARRAY_UINT32, 4)?;
        // SAFETY: as in `copy_to`; arrays of words are the glue's own, which no other thread has.
        (count <= capacity).then(|| unsafe { std::slice::from_raw_parts(pointer.cast::<u32>(), count) }.to_vec())
    }
}

/// A protected object: a function or an array that the agent keeps.
pub(crate) struct Object {
    context: Context,
    raw: RawValue,
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: protected when made, in a context that is still retained.
        unsafe { JSValueUnprotect(self.context.0, self.raw) }
    }
}

impl Object {
    /// The object as a value.
    pub(crate) fn value(&self) -> Value<'_> {
        Value::new(self.context.0, self.raw)
    }

    /// Calls the object as a function with `this` undefined.
    pub(crate) fn call<'a>(&'a self, arguments: &[Value<'_>]) -> Completion<'a> {
        // The arguments are on the stack, which JavaScriptCore's collector scans.
        let mut raw = [ptr::null_mut(); MOST_ARGUMENTS];
        for (place, argument) in raw.iter_mut().zip(arguments) {
            *place = argument.raw;
        }
        let mut exception = ptr::null_mut();
        // SAFETY: the object is protected, the arguments live on the stack; a null `this` is
        // undefined for strict functions.
        let value = unsafe {
            JSObjectCallAsFunction(
                self.context.0,
                self.raw,
                ptr::null_mut(),
                arguments.len().min(MOST_ARGUMENTS),
                raw.as_ptr(),
                &mut exception,
            )
        };
        self.context.finish(value, exception)
    }
}

/// The arguments of a native's call.
pub(crate) struct Args<'a> {
    context: RawContext,
    values: &'a [RawValue],
}

impl<'a> Args<'a> {
    pub(super) fn context(&self) -> RawContext {
        self.context
    }

    /// Argument `index`; `undefined` when missing.
    pub(crate) fn get(&self, index: usize) -> Value<'a> {
        match self.values.get(index) {
            Some(&raw) => Value::new(self.context, raw),
            // SAFETY: the context of the running call.
            None => Value::new(self.context, unsafe { JSValueMakeUndefined(self.context) }),
        }
    }

    /// Argument `index` as a whole number, or 0.
    pub(crate) fn index(&self, index: usize) -> u32 {
        self.get(index).as_number().map_or(0, |number| number as u32)
    }

    /// Argument `index` as a string, or empty.
    pub(crate) fn text(&self, index: usize) -> String {
        self.get(index).as_string().unwrap_or_default()
    }
}

/// The result of a native.
pub(crate) enum NativeResult<'a> {
    /// `undefined`
    Nothing,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A value made elsewhere in the same VM.
    Value(Value<'a>),
    /// Throws an `Error`.
    Throw(String),
    /// Throws this value.
    ThrowValue(Value<'a>),
}

type NativeHandler = for<'a> fn(tag: u32, index: u8, args: &Args<'a>) -> NativeResult<'a>;

thread_local! {
    static HANDLER: Cell<Option<NativeHandler>> = const { Cell::new(None) };
    static CLASS: Cell<*mut OpaqueClass> = const { Cell::new(ptr::null_mut()) };
}

/// Sets the handler of all natives of this thread.
pub(crate) fn install_native_handler(handler: NativeHandler) {
    HANDLER.set(Some(handler));
}

fn native_class() -> *mut OpaqueClass {
    if CLASS.get().is_null() {
        let definition = ClassDefinition {
            version: 0,
            attributes: CLASS_ATTRIBUTE_NO_AUTOMATIC_PROTOTYPE,
            class_name: c"Function".as_ptr(),
            parent_class: ptr::null(),
            static_values: ptr::null(),
            static_functions: ptr::null(),
            initialize: ptr::null(),
            finalize: ptr::null(),
            has_property: ptr::null(),
            get_property: ptr::null(),
            set_property: ptr::null(),
            delete_property: ptr::null(),
            get_property_names: ptr::null(),
            call_as_function: Some(call_native),
            call_as_constructor: ptr::null(),
            has_instance: ptr::null(),
            convert_to_type: ptr::null(),
        };
        // SAFETY: a complete definition; JavaScriptCore copies it; the class is kept for ever.
        CLASS.set(unsafe { JSClassCreate(&definition) });
    }
    CLASS.get()
}

extern "C" fn call_native(
    context: RawContext,
    function: RawValue,
    _this: RawValue,
    count: usize,
    arguments: *const RawValue,
    exception: *mut RawValue,
) -> RawValue {
    let result = guarded("a native", NativeResult::Nothing, || {
        // SAFETY: JavaScriptCore passes `count` live arguments and a function of `native_class`,
        // whose private data is the number set in `natives`.
        let (data, values) = unsafe {
            let values = if count == 0 { &[][..] } else { std::slice::from_raw_parts(arguments, count) };
            (JSObjectGetPrivate(function) as u64, values)
        };
        match HANDLER.get() {
            Some(handler) => handler((data >> 8) as u32, (data & 0xff) as u8, &Args { context, values }),
            None => NativeResult::Nothing,
        }
    });
    // SAFETY: the context of the running call; `exception` is a valid place for a value.
    unsafe {
        match result {
            NativeResult::Nothing => JSValueMakeUndefined(context),
            NativeResult::Bool(value) => JSValueMakeBoolean(context, value),
            NativeResult::Number(value) => JSValueMakeNumber(context, value),
            NativeResult::Text(value) => JSValueMakeString(context, Text::new(&value).0),
            NativeResult::Value(value) => value.raw,
            NativeResult::ThrowValue(value) => {
                *exception = value.raw;
                JSValueMakeUndefined(context)
            }
            NativeResult::Throw(message) => {
                let message = JSValueMakeString(context, Text::new(&message).0);
                *exception = JSObjectMakeError(context, 1, &message, ptr::null_mut());
                JSValueMakeUndefined(context)
            }
        }
    }
}
