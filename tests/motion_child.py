"""A process that asks a desktop portal for its wish, and is that portal too: KEY VALUE."""

import ast
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("CHATDESK_REDUCED_MOTION", None)

from PySide6.QtCore import QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusVariant, QDBusVirtualObject
from PySide6.QtWidgets import QApplication

from chatdesk.ui.reduced_motion import ask_portal, reduced_motion

KEY, VALUE = sys.argv[1], ast.literal_eval(sys.argv[2])


class Portal(QDBusVirtualObject):
    """Knows one setting."""

    asked = 0

    def introspect(self, path: str) -> str:
        return ""

    def handleMessage(self, message: QDBusMessage, connection: QDBusConnection) -> bool:  # noqa: N802
        assert message.member() == "ReadOne"
        if message.arguments()[1] == KEY:
            reply = message.createReply()
            reply.setArguments([QDBusVariant(VALUE)])
        else:
            reply = message.createErrorReply("org.freedesktop.portal.Error.NotFound", "no")
        connection.send(reply)
        self.asked += 1
        return True


app = QApplication([])
app.setStyle("Fusion")
portal = Portal()
bus = QDBusConnection.sessionBus()
assert bus.registerVirtualObject("/org/freedesktop/portal/desktop", portal)
assert bus.registerService("org.freedesktop.portal.Desktop")
assert not reduced_motion(app)
ask_portal(app)
clock = QTimer(app)
clock.timeout.connect(lambda: portal.asked == 2 and QTimer.singleShot(100, app.quit))
clock.start(10)
QTimer.singleShot(20_000, app.quit)
app.exec()
assert portal.asked == 2
print(f"still={reduced_motion(app)}")
