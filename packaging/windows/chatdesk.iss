; The installer for Windows (Inno Setup 6.3 or newer), for one person and without administrator's
; rights. packaging/windows.py tells it Folder, Version, Output, Name and Icon.
; Chats, settings and models are not in {app} but in the person's own folders: neither an update nor
; the uninstaller touches them.

[Setup]
AppId={{5B0B6E5C-6C1F-4F0E-9A55-3F6B0A1D7C42}
AppName=ChatDesk
AppVersion={#Version}
AppPublisher=ChatDesk
VersionInfoVersion={#Version}
DefaultDirName={autopf}\ChatDesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
ChangesAssociations=yes
CloseApplications=yes
OutputDir={#Output}
OutputBaseFilename={#Name}
SetupIconFile={#Icon}
UninstallDisplayIcon={app}\chatdesk.exe
Compression=lzma2
SolidCompression=yes
WizardStyle=modern

[Tasks]
Name: desktopicon; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[InstallDelete]
; what an older version had and this one has not
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\LICENSES"

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{autoprograms}\ChatDesk"; Filename: "{app}\chatdesk.exe"
Name: "{autodesktop}\ChatDesk"; Filename: "{app}\chatdesk.exe"; Tasks: desktopicon

[Registry]
; Offered for .gguf files; what opens them already stays.
Root: HKA; Subkey: "Software\Classes\ChatDesk.gguf"; ValueType: string; ValueData: "GGUF model"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\ChatDesk.gguf\DefaultIcon"; ValueType: string; ValueData: "{app}\chatdesk.exe,0"
Root: HKA; Subkey: "Software\Classes\ChatDesk.gguf\shell\open\command"; ValueType: string; ValueData: """{app}\chatdesk.exe"" open ""%1"""
Root: HKA; Subkey: "Software\Classes\.gguf\OpenWithProgids"; ValueType: string; ValueName: "ChatDesk.gguf"; ValueData: ""; Flags: uninsdeletevalue

[Run]
Filename: "{app}\chatdesk.exe"; Description: "{cm:LaunchProgram,ChatDesk}"; Flags: nowait postinstall skipifsilent
