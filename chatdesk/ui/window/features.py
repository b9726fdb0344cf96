"""The features of the window, in the order of their buttons in the sidebar.

A new one has a folder of its own here and in `services`, and a line in this list.
"""

from chatdesk.ui.imports.feature import ImportFeature
from chatdesk.ui.models.feature import ModelsFeature
from chatdesk.ui.personalize.feature import PersonalizeFeature
from chatdesk.ui.trash.feature import TrashFeature

FEATURES = (ModelsFeature, PersonalizeFeature, ImportFeature, TrashFeature)
