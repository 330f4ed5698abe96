//! Converts an ES module's text to an expression that engines evaluate as a script.
//!
//! Line numbers stay the same. Imports are read from a namespace object at each use, so bindings
//! are live. Exports are read by functions that close over the module's variables, so uninitialised
//! ones throw as they should.
//!
//! The expression's value is `{ run, waits, names, globals, requests, imports, indirect, stars }`,
//! see `js/es-modules.js`. `run` is a generator: its first step declares the functions and passes
//! on the exports, its second step is the module's own code. With top-level `await` it is an async
//! function instead, which does both at once. In that case another module of the same cycle cannot
//! call its functions earlier.

use std::collections::{HashMap, HashSet};

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    Declaration, ExportDefaultDeclarationKind, ImportAttributeKey, ImportDeclarationSpecifier, ModuleExportName, Program, Statement,
    WithClause,
};
use oxc_diagnostics::OxcDiagnostic;
use oxc_ecmascript::BoundNames;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_semantic::{Semantic, SemanticBuilder, SemanticBuilderReturn, SymbolId};
use oxc_span::{GetSpan, SourceType, Span};
use serde_json::{Value, json};

use crate::{
    edits::{Edits, fresh},
    found::Found,
    references::{self, Origin},
};

/// A text that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// The error's description.
    pub message: String,
    /// The error's line, from 1.
    pub line: usize,
    /// The error's column, from 1, in UTF-16 units.
    pub column: usize,
}

impl std::fmt::Display for Syntax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}:{})", self.message, self.line, self.column)
    }
}

impl std::error::Error for Syntax {}

impl Syntax {
    fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = source.get(..offset.min(source.len())).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        Self { message: message.into(), line, column: before[line_start..].encode_utf16().count() + 1 }
    }
}

pub(crate) fn parse<'a>(allocator: &'a Allocator, source: &'a str, kind: SourceType) -> Result<Program<'a>, Syntax> {
    let options = ParseOptions { allow_return_outside_function: kind.is_script(), ..ParseOptions::default() };
    let ParserReturn { program, errors, .. } = Parser::new(allocator, source, kind).with_options(options).parse();
    match errors.first() {
        None => Ok(program),
        Some(error) => Err(mistake(source, error)),
    }
}

fn mistake(source: &str, error: &OxcDiagnostic) -> Syntax {
    let offset = error.labels.as_ref().and_then(|labels| labels.first()).map_or(0, |label| label.offset());
    Syntax::at(source, offset, error.message.clone())
}

/// The source type of CommonJS files, which are scripts in a function.
pub(crate) fn script() -> SourceType {
    SourceType::cjs()
}

/// Whether the text of a `.js` file without `"type"` can only be an ES module.
pub fn is_module(source: &str) -> bool {
    if !["import", "export", "await"].iter().any(|word| source.contains(word)) {
        return false;
    }
    let allocator = Allocator::default();
    let Ok(program) = parse(&allocator, source, SourceType::mjs()) else { return false };
    let found = Found::of(source, &program);
    let declares = program.body.iter().any(Statement::is_module_declaration);
    declares || !found.metas.is_empty() || found.waits && parse(&Allocator::default(), source, script()).is_err()
}

struct Rewriter<'a, 's> {
    edits: Edits<'s>,
    prefix: String,
    semantic: Semantic<'a>,
    /// The offsets of the line ends.
    line_ends: Vec<u32>,
    /// `[specifier, attributes]`
    requests: Vec<Value>,
    /// The numbers of the requests.
    request_numbers: HashMap<String, usize>,
    /// `[request, name, line]`
    imports: Vec<Value>,
    /// `[exported, request, name or null]`
    indirect: Vec<Value>,
    stars: Vec<usize>,
    /// Exported names and the expressions that read them.
    own: Vec<(String, String)>,
    exported: HashSet<String>,
    locals: HashMap<SymbolId, Origin>,
    /// The variable of a default export without a name, which gets the name `default`.
    named: Option<String>,
}

/// Converts the module's text to an expression. `globals` are names that every module of the host
/// can use; `run` receives those that the module does not declare itself.
///
/// # Errors
/// The first error that the parser or the check of names finds. The engine finds other errors.
pub fn module(source: &str, globals: &[&str]) -> Result<String, Syntax> {
    let allocator = Allocator::default();
    let program = parse(&allocator, source, SourceType::mjs())?;
    let found = Found::of(source, &program);
    if let Some((at, message)) = found.mistake {
        return Err(Syntax::at(source, at as usize, message));
    }
    // Names are checked before they are replaced. A construct that is an error for a name, such as
    // `delete`, may be valid for its replacement.
    let SemanticBuilderReturn { semantic, errors } = SemanticBuilder::new().with_check_syntax_error(true).build(&program);
    if let Some(error) = errors.first() {
        return Err(mistake(source, error));
    }
    let mut rewriter = Rewriter {
        edits: Edits::new(source),
        prefix: fresh(source),
        semantic,
        line_ends: source.bytes().zip(0..).filter(|&(byte, _)| byte == b'\n').map(|(_, at)| at).collect(),
        requests: Vec::new(),
        request_numbers: HashMap::new(),
        imports: Vec::new(),
        indirect: Vec::new(),
        stars: Vec::new(),
        own: Vec::new(),
        exported: HashSet::new(),
        locals: HashMap::new(),
        named: None,
    };
    if let Some(hashbang) = &program.hashbang {
        rewriter.edits.replace(Span::sized(hashbang.span.start, 2), "//");
    }
    // A text may export a name before the statement that imports it.
    program.body.iter().for_each(|statement| rewriter.imported(statement));
    rewriter.check_declared_once()?;
    for statement in &program.body {
        rewriter.exported(statement)?;
    }
    let fixed = references::rewrite(&mut rewriter.edits, &rewriter.semantic, &rewriter.prefix, &rewriter.locals);
    for span in &found.imports {
        let text = format!("{}.import", rewriter.prefix);
        rewriter.edits.replace(*span, text);
    }
    for span in &found.metas {
        let meta = format!("{}.meta", rewriter.prefix);
        let text = if found.deleted.contains(&span.start) { format!("(0, {meta})") } else { meta };
        rewriter.edits.replace(*span, text);
    }
    Ok(rewriter.finish(found.waits, &fixed, globals))
}

fn name_of(name: &ModuleExportName<'_>) -> String {
    name.name().into_string()
}

fn attributes(clause: Option<&WithClause<'_>>) -> Value {
    let entries = clause.map_or(&[][..], |clause| &clause.with_entries);
    let key = |key: &ImportAttributeKey<'_>| match key {
        ImportAttributeKey::Identifier(name) => name.name.to_string(),
        ImportAttributeKey::StringLiteral(text) => text.value.to_string(),
    };
    entries.iter().map(|entry| json!([key(&entry.key), entry.value.value.as_str()])).collect()
}

impl Rewriter<'_, '_> {
    fn request(&mut self, specifier: &str, clause: Option<&WithClause<'_>>) -> usize {
        let request = json!([specifier, attributes(clause)]);
        let requests = &mut self.requests;
        *self.request_numbers.entry(request.to_string()).or_insert_with(|| {
            requests.push(request);
            requests.len() - 1
        })
    }

    fn line(&self, offset: u32) -> usize {
        self.line_ends.partition_point(|&end| end < offset) + 1
    }

    fn imported(&mut self, statement: &Statement<'_>) {
        // Requests are numbered in the order of the text, whichever statement makes them.
        match statement {
            Statement::ImportDeclaration(it) => {
                let request = self.request(&it.source.value, it.with_clause.as_deref());
                for specifier in it.specifiers.iter().flatten() {
                    let name = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(specifier) => Some(name_of(&specifier.imported)),
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => Some("default".to_owned()),
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => None,
                    };
                    if let Some(name) = &name {
                        self.imports.push(json!([request, name, self.line(specifier.span().start)]));
                    }
                    if let Some(symbol) = specifier.local().symbol_id.get() {
                        self.locals.insert(symbol, (request, name));
                    }
                }
                self.edits.blank(it.span, ";");
            }
            Statement::ExportAllDeclaration(it) => {
                self.request(&it.source.value, it.with_clause.as_deref());
            }
            Statement::ExportNamedDeclaration(it) => {
                if let Some(source) = &it.source {
                    self.request(&source.value, it.with_clause.as_deref());
                }
            }
            _ => {}
        }
    }

    /// Refuses a second declaration of an imported name, because the check of names permits
    /// variables and classes of that name.
    fn check_declared_once(&self) -> Result<(), Syntax> {
        let scoping = self.semantic.scoping();
        let again = self.locals.keys().filter_map(|&symbol| scoping.symbol_redeclarations(symbol).get(1).map(|again| (symbol, again.span)));
        match again.min_by_key(|(_, span)| span.start) {
            None => Ok(()),
            Some((symbol, span)) => {
                let message = format!("Identifier '{}' has already been declared", scoping.symbol_name(symbol));
                Err(Syntax::at(self.edits.source, span.start as usize, message))
            }
        }
    }

    fn add(&mut self, name: &str, at: u32) -> Result<(), Syntax> {
        match self.exported.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(Syntax::at(self.edits.source, at as usize, format!("Duplicate export of '{name}'"))),
        }
    }

    fn exported(&mut self, statement: &Statement<'_>) -> Result<(), Syntax> {
        match statement {
            Statement::ExportAllDeclaration(it) => {
                let request = self.request(&it.source.value, it.with_clause.as_deref());
                match &it.exported {
                    Some(name) => {
                        self.add(&name.name(), it.span.start)?;
                        self.indirect.push(json!([name_of(name), request, null]));
                    }
                    None => self.stars.push(request),
                }
                self.edits.blank(it.span, ";");
            }
            Statement::ExportNamedDeclaration(it) => match &it.declaration {
                Some(declaration) => {
                    let mut names = Vec::new();
                    match declaration {
                        Declaration::VariableDeclaration(it) => it.bound_names(&mut |id| names.push((id.name.to_string(), id.span.start))),
                        Declaration::FunctionDeclaration(it) => it.bound_names(&mut |id| names.push((id.name.to_string(), id.span.start))),
                        Declaration::ClassDeclaration(it) => it.bound_names(&mut |id| names.push((id.name.to_string(), id.span.start))),
                        _ => {}
                    }
                    for (name, at) in names {
                        self.add(&name, at)?;
                        self.own.push((name.clone(), name));
                    }
                    self.edits.blank(Span::new(it.span.start, declaration.span().start), ";");
                }
                None => {
                    let request = it.source.as_ref().map(|source| self.request(&source.value, it.with_clause.as_deref()));
                    for specifier in &it.specifiers {
                        let (local, exported) = (name_of(&specifier.local), name_of(&specifier.exported));
                        self.add(&exported, specifier.span.start)?;
                        match request {
                            Some(request) => {
                                self.imports.push(json!([request, local, self.line(specifier.span.start)]));
                                self.indirect.push(json!([exported, request, local]));
                            }
                            None => self.exported_local(local, exported, specifier.span.start)?,
                        }
                    }
                    self.edits.blank(it.span, ";");
                }
            },
            Statement::ExportDefaultDeclaration(it) => {
                self.add("default", it.span.start)?;
                self.exported_default(it.span, &it.declaration);
            }
            _ => {}
        }
        Ok(())
    }

    fn exported_local(&mut self, local: String, exported: String, at: u32) -> Result<(), Syntax> {
        let Some(symbol) = self.semantic.scoping().get_root_binding(&local) else {
            return Err(Syntax::at(self.edits.source, at as usize, format!("Export '{local}' is not defined in module")));
        };
        match self.locals.get(&symbol) {
            Some((request, name)) => self.indirect.push(json!([exported, request, name])),
            None => self.own.push((exported, local)),
        }
        Ok(())
    }

    fn exported_default(&mut self, whole: Span, declaration: &ExportDefaultDeclarationKind<'_>) {
        let place = Span::new(whole.start, declaration.span().start);
        let hidden = format!("{}Default", self.prefix);
        let known = match declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => match &function.id {
                Some(id) => Some(id.name.to_string()),
                None => {
                    self.edits.replace(Span::empty(function.params.span.start), format!(" {hidden}"));
                    self.named = Some(hidden.clone());
                    Some(hidden.clone())
                }
            },
            ExportDefaultDeclarationKind::ClassDeclaration(class) => class.id.as_ref().map(|id| id.name.to_string()),
            _ => None,
        };
        match known {
            Some(name) => {
                self.edits.blank(place, ";");
                self.own.push(("default".into(), name));
            }
            None => {
                self.edits.blank(place, &format!(";const {{default: {hidden}}} = {{default: "));
                self.edits.replace(Span::empty(declaration.span().end), "};");
                self.own.push(("default".into(), hidden));
            }
        }
    }

    /// `fixed` declares the constants that replace namespaces to which the text assigns.
    fn finish(self, waits: bool, fixed: &str, globals: &[&str]) -> String {
        let prefix = &self.prefix;
        let namespaces = (0..self.requests.len()).map(|request| format!(", {prefix}{request}"));
        let free = |name: &&&str| self.semantic.scoping().get_root_binding(name).is_none();
        let globals: Vec<&str> = globals.iter().filter(free).copied().collect();
        let parameters: String = namespaces.chain(globals.iter().map(|name| format!(", {name}"))).collect();
        let own: String = self.own.iter().map(|(name, read)| format!(", {}: () => {read}", json!([name]))).collect();
        let named = self.named.as_ref().map_or_else(String::new, |name| format!("{prefix}.name({name}); "));
        let names: Value = self.own.iter().map(|(name, _)| name.as_str()).collect();
        // The function with this name is left out of stacks.
        let (kind, pause) = if waits { ("async function", "") } else { ("function*", "yield; ") };
        let head = format!(
            "({{ run: {kind} {prefix}Module({prefix}{parameters}) {{ 'use strict'; {fixed}{named}{prefix}.exports({{ __proto__: null{own} }}); {pause}"
        );
        let tail = format!(
            "\n}}, waits: {waits}, names: {names}, globals: {}, requests: {}, imports: {}, indirect: {}, stars: {} }})",
            json!(globals),
            Value::Array(self.requests),
            Value::Array(self.imports),
            Value::Array(self.indirect),
            json!(self.stars)
        );
        head + &self.edits.apply() + &tail
    }
}
