"""What the grammars call the nodes that an outline is made of.

One vocabulary for all of them: where two grammars share a name they mean the same by it.
"""

from __future__ import annotations


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Definitions whose members are definitions of their own.
CONTAINERS = _names(
    """
    abstract_class_declaration annotation_type_declaration class class_declaration class_definition
    class_specifier companion_object enum_declaration enum_definition extension_definition impl_item
    interface_declaration internal_module mod_item module namespace_declaration namespace_definition
    object_declaration object_definition package_object protocol_declaration record_declaration
    singleton_class struct_declaration struct_specifier trait_declaration trait_definition trait_item
    """
)
# Definitions that are kept whole unless they are very long.
ROUTINES = _names(
    """
    anonymous_initializer compact_constructor_declaration concept_definition constructor_declaration
    conversion_operator_declaration deinit_declaration delegate_declaration destructor_declaration
    enum_item enum_specifier event_declaration function_declaration function_definition function_item
    generator_function_declaration given_definition indexer_declaration init_declaration macro_definition
    method method_declaration method_definition operator_declaration preproc_function_def
    property_declaration secondary_constructor singleton_method static_initializer struct_item
    subscript_declaration type_alias_declaration type_declaration type_definition union_item
    union_specifier
    """
)
# Statements that define what they hold: `const f = () => …`, `M.f = function …`, `describe(…)`.
HOLDERS = _names(
    """
    assignment_statement export_statement expression_statement field_declaration field_definition
    lexical_declaration local_variable_declaration pair public_field_definition variable_declaration
    """
)
HELD = _names(
    """
    arrow_function class function_definition function_expression generator_function object
    """
)
# Around one definition, and part of it: decorators, `export`, `template <…>`.
WRAPPERS = _names(
    """
    ambient_declaration decorated_definition declaration export_statement expression_statement
    template_declaration
    """
)
# Neither definitions nor statements of their own: what is within stands for itself.
THROUGH = _names(
    """
    ERROR block body_statement class_body compound_statement constructor_body declaration_list elif_clause
    else_clause enum_body enum_body_declarations enum_class_body enum_declaration_list except_clause
    field_declaration_list
    file_scoped_namespace_declaration finally_clause function_body if_statement indented_block
    interface_body linkage_specification package_clause preproc_elif preproc_else preproc_if preproc_ifdef program
    statement_block statement_list statements template_body try_statement
    """
)
IMPORTS = _names(
    """
    future_import_statement import import_declaration import_from_statement import_header import_list
    import_statement namespace_use_declaration package_declaration package_header
    preproc_include use_declaration using_declaration using_directive
    """
)
# Where a signature ends, in grammars that do not name this field.
BODIES = _names("block class_body enum_class_body field_declaration_list function_body")
# What stands before the words by which a definition is called.
MARKS = _names("annotation attribute attribute_item attribute_list decorator marker_annotation")
