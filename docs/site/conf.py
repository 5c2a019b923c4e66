"""Sphinx's settings for the course site. `build.py` puts the pages beside a copy of this file."""

import os
import sys
from importlib import metadata

sys.path.insert(0, os.environ["MINILEARN_SITE_CODE"])  # for the extension `mathml`

project, author, release = "minilearn", "the minilearn authors", metadata.version("minilearn")
copyright = "the minilearn authors, MIT licence"
repository = os.environ.get("GITHUB_REPOSITORY", "")  # "owner/name"; set where a workflow builds

extensions = ["myst_nb", "sphinx.ext.githubpages", "mathml"]
exclude_patterns = ["conf.py"]
nb_execution_mode = "off"  # `build.py` has run every cell
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

html_theme = "sphinx_book_theme"
html_title = "minilearn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = True  # the notebooks themselves, for the download button
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # one search box is enough
}
if repository:
    html_theme_options |= {
        "repository_url": f"https://github.com/{repository}",
        "repository_branch": "gh-pages",  # holds the built site, and in it the executed notebooks
        "path_to_docs": "_sources",
        "use_repository_button": True,
        "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    }
