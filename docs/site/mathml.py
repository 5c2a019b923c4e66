"""A Sphinx extension: formulas as MathML, which browsers draw themselves, without a network."""

from latex2mathml.converter import convert


def inline(translator, node):
    """Write a formula inside a line."""
    translator.body.append(convert(node.astext()))
    raise_skip()


def block(translator, node):
    """Write a formula on a line of its own; wide ones scroll."""
    translator.body.append(f'<div class="formula">{convert(node.astext(), display="block")}</div>')
    raise_skip()


def raise_skip():
    """Tell docutils that the node is written whole."""
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Register the renderer under the name "mathml"."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
