//! Finds constructs anywhere in a text that do not depend on the meaning of names.

use oxc_ast::ast::{
    ArrowFunctionExpression, AwaitExpression, Expression, ForOfStatement, Function, ImportExpression, MetaProperty, NewExpression, Program,
    UnaryExpression, UnaryOperator, VariableDeclaration, VariableDeclarationKind,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::ScopeFlags;
use oxc_span::Span;

/// The constructs found in a text.
#[derive(Default)]
pub(crate) struct Found<'s> {
    source: &'s str,
    depth: usize,
    /// Whether there is an `await` outside of functions.
    pub(crate) waits: bool,
    /// The `import` of each `import()`.
    pub(crate) imports: Vec<Span>,
    /// Each `import.meta`.
    pub(crate) metas: Vec<Span>,
    /// The offsets of those `import.meta` that are the operand of `delete`, which has no effect on
    /// a value.
    pub(crate) deleted: Vec<u32>,
    /// An error that the parser accepts, and its offset.
    pub(crate) mistake: Option<(u32, &'static str)>,
}

impl<'s> Found<'s> {
    pub(crate) fn of(source: &'s str, program: &Program<'_>) -> Self {
        let mut found = Self { source, ..Self::default() };
        found.visit_program(program);
        found
    }

    /// Whether the `!` at this offset is the second character of `<!--`.
    fn begins_comment(&self, at: usize) -> bool {
        let (before, after) = self.source.split_at(at);
        after.starts_with("!--") && before.ends_with('<') && !before.ends_with("<<")
    }
}

impl<'a> Visit<'a> for Found<'_> {
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

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        if it.operator == UnaryOperator::Delete
            && let Expression::MetaProperty(meta) = it.argument.without_parentheses()
        {
            self.deleted.push(meta.span.start);
        }
        if it.operator == UnaryOperator::LogicalNot && self.begins_comment(it.span.start as usize) {
            self.mistake.get_or_insert((it.span.start, "'<!--' begins a comment, which modules do not have"));
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        let mut callee = &it.callee;
        while let Expression::TaggedTemplateExpression(tagged) = callee {
            callee = &tagged.tag;
        }
        if let Expression::ImportExpression(import) = callee {
            self.mistake.get_or_insert((import.span.start, "import() cannot follow 'new' without parentheses"));
        }
        walk::walk_new_expression(self, it);
    }

    fn visit_meta_property(&mut self, it: &MetaProperty<'a>) {
        if it.meta.name == "import" {
            self.metas.push(it.span);
        }
    }
}
