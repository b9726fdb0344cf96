"""A process that shows a notice on the desktop, and is the portal that shows it: yes or no."""

import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusVirtualObject
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.ui.window.desktop_notice import DesktopNotice

PATH = "/org/freedesktop/portal/desktop"
INTERFACE = "org.freedesktop.portal.Notification"


class Portal(QDBusVirtualObject):
    """Shows every notice, and clicks it at once."""

    def introspect(self, path: str) -> str:
        return ""

    def handleMessage(self, message: QDBusMessage, connection: QDBusConnection) -> bool:  # noqa: N802
        key, _notice = message.arguments()
        print(message.interface(), message.member(), message.signature(), key)
        connection.send(message.createReply())
        click = QDBusMessage.createSignal(PATH, INTERFACE, "ActionInvoked")
        click.setArguments([key, "open", []])
        connection.send(click)
        return True


app = QApplication([])
portal = Portal()
bus = QDBusConnection.sessionBus()
if sys.argv[1] == "yes":
    assert bus.registerVirtualObject(PATH, portal)
    assert bus.registerService("org.freedesktop.portal.Desktop")
window = QWidget()
notice = DesktopNotice(window)
notice.clicked.connect(lambda key: print("clicked", key))
notice.clicked.connect(app.quit)
notice.show("chat-1", "The answer is ready", "A letter")
QTimer.singleShot(10_000 if sys.argv[1] == "yes" else 1_000, app.quit)
app.exec()
print("ended")
