"""Leaves out the Qt plugins that the window does not use, and the libraries that they link to."""

from pathlib import Path

from PyInstaller.utils.hooks.qt import add_qt6_dependencies

PLUGINS = {  # by folder, parts of the names; other folders have none that is used
    "platforms": ("cocoa", "offscreen", "wayland", "windows", "xcb"),
    "platforminputcontexts": ("compose", "ibus"),
    "platformthemes": ("xdgdesktopportal",),  # GTK's would bring all of GTK with it
    "iconengines": ("svg",),
    "imageformats": ("gif", "ico", "jpeg", "svg", "webp"),
    "wayland-decoration-client": ("adwaita", "bradient"),
    "wayland-graphics-integration-client": ("wayland-egl",),
    "wayland-shell-integration": ("xdg-shell",),
    "xcbglintegrations": ("egl", "glx"),
}


def is_needed(source: str) -> bool:
    """True if a file is a used plugin, or not a plugin."""
    path = Path(source)
    if "plugins" not in path.parts:
        return True
    return any(part in path.name for part in PLUGINS.get(path.parent.name, ()))


hiddenimports, binaries, datas = add_qt6_dependencies(__file__)
binaries = [entry for entry in binaries if is_needed(entry[0])]
