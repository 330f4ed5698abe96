//! Rewrites the uses of imported names in a module's text, so that each reads from a namespace
//! object.

use std::collections::{BTreeSet, HashMap};

use oxc_ast::AstKind;
use oxc_semantic::{NodeId, Reference, Semantic, SymbolId};
use oxc_span::{GetSpan, Span};
use serde_json::json;

use crate::edits::Edits;

/// The origin of an import's local name: the request's number, and the exported name (`None`: the
/// namespace).
pub(crate) type Origin = (usize, Option<String>);

/// Rewrites every use of the `locals`, and of `arguments` outside of functions. The result declares
/// the constants that the new text needs.
pub(crate) fn rewrite(edits: &mut Edits<'_>, semantic: &Semantic<'_>, prefix: &str, locals: &HashMap<SymbolId, Origin>) -> String {
    let scoping = semantic.scoping();
    let mut fixed = BTreeSet::new();
    for (symbol, (request, name)) in locals {
        let namespace = format!("{prefix}{request}");
        let value = match name {
            Some(name) if is_identifier(name) => format!("{namespace}.{name}"),
            Some(name) => format!("{namespace}[{}]", json!(name)),
            None => namespace.clone(),
        };
        for reference in scoping.get_resolved_references(*symbol) {
            let local = scoping.symbol_name(*symbol);
            if name.is_some() {
                replace(edits, semantic, reference, local, &value, true);
            } else if reference.is_write() {
                // The namespace itself is a parameter, to which the text could assign. Assigning to
                // an import must throw, so a constant replaces it.
                fixed.insert(*request);
                replace(edits, semantic, reference, local, &format!("{prefix}Fixed{request}"), false);
            } else {
                replace(edits, semantic, reference, local, &value, false);
            }
        }
    }
    // The module's text is the body of a function, but must not use that function's `arguments`.
    for reference in scoping.root_unresolved_references().get("arguments").into_iter().flatten() {
        let reference = scoping.get_reference(*reference);
        if !semantic.nodes().ancestor_kinds(reference.node_id()).any(|kind| matches!(kind, AstKind::Function(_))) {
            replace(edits, semantic, reference, "arguments", &format!("{prefix}Arguments"), false);
        }
    }
    fixed.iter().map(|request| format!("const {prefix}Fixed{request} = {prefix}{request}; ")).collect()
}

/// Replaces a reference to `local` by `value`. A called `member` receives no `this`.
fn replace(edits: &mut Edits<'_>, semantic: &Semantic<'_>, reference: &Reference, local: &str, value: &str, member: bool) {
    let nodes = semantic.nodes();
    let node = reference.node_id();
    let span = nodes.kind(node).span();
    let text = match nodes.parent_kind(node) {
        // `__proto__: value` would set the prototype.
        AstKind::ObjectProperty(property) if property.shorthand && local == "__proto__" => format!("['__proto__']: {value}"),
        AstKind::ObjectProperty(property) if property.shorthand => format!("{local}: {value}"),
        AstKind::AssignmentTargetPropertyIdentifier(property) if property.binding.span == span => format!("{local}: {value}"),
        _ if member && is_called(semantic, node) => {
            // A parenthesis at the beginning of a statement would continue a previous line without
            // a semicolon.
            let comma = if begins_statement(semantic, node) { "0, " } else { "" };
            format!("{comma}(0, {value})")
        }
        _ => value.to_owned(),
    };
    edits.replace(span, text);
}

/// Whether the value is called or is the tag of a template, in parentheses too.
fn is_called(semantic: &Semantic<'_>, node: NodeId) -> bool {
    let nodes = semantic.nodes();
    let mut callee: Span = nodes.kind(node).span();
    for kind in nodes.ancestor_kinds(node) {
        match kind {
            AstKind::ParenthesizedExpression(it) => callee = it.span,
            AstKind::CallExpression(it) => return it.callee.span() == callee,
            AstKind::TaggedTemplateExpression(it) => return it.tag.span() == callee,
            _ => return false,
        }
    }
    false
}

/// Whether this is the first token of a statement. In the tree an arrow function's expression body
/// is a statement too, but it does not count.
fn begins_statement(semantic: &Semantic<'_>, node: NodeId) -> bool {
    let nodes = semantic.nodes();
    let start = nodes.kind(node).span().start;
    for ancestor in nodes.ancestors(node).take_while(|ancestor| ancestor.kind().span().start == start) {
        if matches!(ancestor.kind(), AstKind::ExpressionStatement(_)) {
            let mut above = nodes.ancestor_kinds(ancestor.id());
            let is_body = matches!(above.next(), Some(AstKind::FunctionBody(_)))
                && matches!(above.next(), Some(AstKind::ArrowFunctionExpression(arrow)) if arrow.expression);
            return !is_body;
        }
    }
    false
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}
