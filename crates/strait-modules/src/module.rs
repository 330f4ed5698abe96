//! An ES module's text as an expression that engines evaluate as a script.
//!
//! Every line stays on its line. What the module imports is read from a namespace object at each use, so bindings are live; what it exports
//! is read by functions that close over its own variables, so uninitialised ones throw as they should. The expression's value is
//! `{ run, waits, names, globals, requests, imports, indirect, stars }`, see `js/es-modules.js`. `run` is a generator: its first step declares the
//! functions and hands out the exports, its second one is the module's own code. With top-level `await` it is an async function instead, which
//! does both at once: another module of its cycle does not see its functions before.

use std::collections::HashMap;

use oxc_allocator::Allocator;
use oxc_ast::{
    AstKind,
    ast::{
        ArrowFunctionExpression, AwaitExpression, Declaration, ExportDefaultDeclarationKind, ForOfStatement, Function, ImportAttributeKey,
        ImportDeclarationSpecifier, ImportExpression, MetaProperty, ModuleExportName, Program, Statement, VariableDeclaration,
        VariableDeclarationKind, WithClause,
    },
};
use oxc_ast_visit::{Visit, walk};
use oxc_ecmascript::BoundNames;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_semantic::{ScopeFlags, Semantic, SemanticBuilder, SymbolId};
use oxc_span::{GetSpan, SourceType, Span};
use serde_json::{Value, json};

/// Why a text cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// What is wrong.
    pub message: String,
    /// Where: from 1.
    pub line: usize,
    /// Where in the line: from 1, in UTF-16 units.
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
        Some(error) => {
            let offset = error.labels.as_ref().and_then(|labels| labels.first()).map_or(0, |label| label.offset());
            Err(Syntax::at(source, offset, error.message.clone()))
        }
    }
}

/// CommonJS files are scripts in a function.
pub(crate) fn script() -> SourceType {
    SourceType::cjs()
}

/// Can the text of a `.js` file without `"type"` only be an ES module?
pub fn is_module(source: &str) -> bool {
    if !["import", "export", "await"].iter().any(|word| source.contains(word)) {
        return false;
    }
    let allocator = Allocator::default();
    let Ok(program) = parse(&allocator, source, SourceType::mjs()) else { return false };
    let mut found = Found::default();
    found.visit_program(&program);
    let declares = program.body.iter().any(Statement::is_module_declaration);
    declares || found.metas.iter().any(|_| true) || found.waits && parse(&Allocator::default(), source, script()).is_err()
}

/// What stands anywhere in a text.
#[derive(Default)]
pub(crate) struct Found {
    depth: usize,
    /// `await` outside of functions.
    waits: bool,
    /// The `import` of each `import()`.
    pub(crate) imports: Vec<Span>,
    /// Each `import.meta`.
    metas: Vec<Span>,
}

impl<'a> Visit<'a> for Found {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.depth += 1;
        walk::walk_function(self, it, flags);
        self.depth -= 1;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.depth += 1;
        walk::walk_arrow_function_expression(self, it);
        self.depth -= 1;
    }

    fn visit_await_expression(&mut self, it: &AwaitExpression<'a>) {
        self.waits |= self.depth == 0;
        walk::walk_await_expression(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.waits |= it.r#await && self.depth == 0;
        walk::walk_for_of_statement(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        self.waits |= it.kind == VariableDeclarationKind::AwaitUsing && self.depth == 0;
        walk::walk_variable_declaration(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if it.phase.is_none() {
            self.imports.push(Span::sized(it.span.start, 6));
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_meta_property(&mut self, it: &MetaProperty<'a>) {
        if it.meta.name == "import" {
            self.metas.push(it.span);
        }
    }
}

/// A name that the text does not use.
pub(crate) fn fresh(source: &str) -> String {
    let mut name = String::from("$strait");
    let mut number = 0;
    while source.contains(&name) {
        number += 1;
        name = format!("$strait{number}_");
    }
    name
}

/// Replacements in a text, applied all at once.
pub(crate) struct Edits<'a> {
    source: &'a str,
    edits: Vec<(Span, String)>,
}

impl<'a> Edits<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, edits: Vec::new() }
    }

    pub(crate) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    /// `text`, and the line ends that the span had.
    fn blank(&mut self, span: Span, text: &str) {
        let lines = self.source[span.start as usize..span.end as usize].chars().filter(|&c| matches!(c, '\n' | '\u{2028}' | '\u{2029}'));
        let text = text.chars().chain(lines.map(|_| '\n')).collect::<String>();
        self.replace(span, text);
    }

    /// Of what overlaps, the first and longest counts.
    pub(crate) fn apply(mut self) -> String {
        self.edits.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
        let mut out = String::with_capacity(self.source.len() + self.edits.len() * 8);
        let mut at = 0;
        for (span, text) in self.edits {
            if (span.start as usize) < at {
                continue;
            }
            out.push_str(&self.source[at..span.start as usize]);
            out.push_str(&text);
            at = span.end as usize;
        }
        out.push_str(&self.source[at..]);
        out
    }
}

/// Where an import's local name comes from: the request's number, and the name there (`None`: the namespace).
type Origin = (usize, Option<String>);

struct Rewriter<'a, 's> {
    edits: Edits<'s>,
    prefix: String,
    semantic: Semantic<'a>,
    /// `[specifier, attributes]`
    requests: Vec<Value>,
    /// `[request, name, line]`
    imports: Vec<Value>,
    /// `[exported, request, name or null]`
    indirect: Vec<Value>,
    stars: Vec<usize>,
    /// Names and the expressions that read them.
    own: Vec<(String, String)>,
    exported: HashMap<String, ()>,
    locals: HashMap<SymbolId, Origin>,
    /// Gives a function without a name its name.
    named: Option<String>,
}

/// The module's text as an expression. Of `globals`, which every module of the host sees, `run` is given those that the module does not declare
/// itself.
///
/// # Errors
/// The first mistake in the text that the parser finds. Others are the engine's to find.
pub fn module(source: &str, globals: &[&str]) -> Result<String, Syntax> {
    let allocator = Allocator::default();
    let program = parse(&allocator, source, SourceType::mjs())?;
    let mut found = Found::default();
    found.visit_program(&program);
    let semantic = SemanticBuilder::new().build(&program).semantic;
    let mut rewriter = Rewriter {
        edits: Edits::new(source),
        prefix: fresh(source),
        semantic,
        requests: Vec::new(),
        imports: Vec::new(),
        indirect: Vec::new(),
        stars: Vec::new(),
        own: Vec::new(),
        exported: HashMap::new(),
        locals: HashMap::new(),
        named: None,
    };
    if let Some(hashbang) = &program.hashbang {
        rewriter.edits.replace(Span::sized(hashbang.span.start, 2), "//");
    }
    // What is exported may be imported further down.
    program.body.iter().for_each(|statement| rewriter.imported(statement));
    for statement in &program.body {
        rewriter.exported(statement)?;
    }
    rewriter.references();
    for span in &found.imports {
        let text = format!("{}.import", rewriter.prefix);
        rewriter.edits.replace(*span, text);
    }
    for span in &found.metas {
        let text = format!("{}.meta", rewriter.prefix);
        rewriter.edits.replace(*span, text);
    }
    Ok(rewriter.finish(found.waits, globals))
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
        self.requests.iter().position(|known| *known == request).unwrap_or_else(|| {
            self.requests.push(request);
            self.requests.len() - 1
        })
    }

    fn line(&self, offset: u32) -> usize {
        Syntax::at(self.edits.source, offset as usize, "").line
    }

    fn imported(&mut self, statement: &Statement<'_>) {
        // Requests are numbered in the order of the text, whatever makes them.
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

    fn add(&mut self, name: &str, at: u32) -> Result<(), Syntax> {
        match self.exported.insert(name.to_owned(), ()) {
            None => Ok(()),
            Some(()) => Err(Syntax::at(self.edits.source, at as usize, format!("Duplicate export of '{name}'"))),
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

    /// Every use of what is imported.
    fn references(&mut self) {
        let nodes = self.semantic.nodes();
        for (symbol, (request, name)) in &self.locals {
            let from = match name {
                Some(name) if is_identifier(name) => format!("{}{request}.{name}", self.prefix),
                Some(name) => format!("{}{request}[{}]", self.prefix, json!(name)),
                None => format!("{}{request}", self.prefix),
            };
            let local = self.semantic.scoping().symbol_name(*symbol);
            for reference in self.semantic.scoping().get_resolved_references(*symbol) {
                let span = nodes.kind(reference.node_id()).span();
                // A function that is called has no `this`.
                let called = || if name.is_some() { format!("(0, {from})") } else { from.clone() };
                let text = match nodes.parent_kind(reference.node_id()) {
                    AstKind::ObjectProperty(property) if property.shorthand => format!("{local}: {from}"),
                    AstKind::AssignmentTargetPropertyIdentifier(property) => {
                        self.edits.replace(property.binding.span, format!("{local}: {from}"));
                        continue;
                    }
                    AstKind::CallExpression(call) if call.callee.span() == span => {
                        // A parenthesis at the beginning of a statement would continue one before it that has no semicolon.
                        let begins = nodes
                            .ancestor_kinds(reference.node_id())
                            .any(|kind| matches!(kind, AstKind::ExpressionStatement(statement) if statement.span.start == span.start));
                        if begins && name.is_some() { format!("0, {}", called()) } else { called() }
                    }
                    AstKind::TaggedTemplateExpression(call) if call.tag.span() == span => {
                        let begins = nodes
                            .ancestor_kinds(reference.node_id())
                            .any(|kind| matches!(kind, AstKind::ExpressionStatement(statement) if statement.span.start == span.start));
                        if begins && name.is_some() { format!("0, {}", called()) } else { called() }
                    }
                    _ => from.clone(),
                };
                self.edits.replace(span, text);
            }
        }
    }

    fn finish(self, waits: bool, globals: &[&str]) -> String {
        let prefix = &self.prefix;
        let namespaces = (0..self.requests.len()).map(|request| format!(", {prefix}{request}"));
        let free = |name: &&&str| self.semantic.scoping().get_root_binding(name).is_none();
        let globals: Vec<&str> = globals.iter().filter(free).copied().collect();
        let parameters: String = namespaces.chain(globals.iter().map(|name| format!(", {name}"))).collect();
        let own: String = self.own.iter().map(|(name, read)| format!(", {}: () => {read}", json!([name]))).collect();
        let named = self.named.as_ref().map_or_else(String::new, |name| format!("{prefix}.name({name}); "));
        let names: Value = self.own.iter().map(|(name, _)| name.as_str()).collect();
        // Stacks leave out the function of this name.
        let (kind, pause) = if waits { ("async function", "") } else { ("function*", "yield; ") };
        let head = format!(
            "({{ run: {kind} {prefix}Module({prefix}{parameters}) {{ 'use strict'; {named}{prefix}.exports({{ __proto__: null{own} }}); {pause}"
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

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}
