#!/bin/sh
# Starts ChatDesk, or says why it cannot run here: without this, the words would be the loader's.
machine=@machine@ oldest=@oldest@ # filled in by packaging/linux.py

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) # like "glibc 2.36"; nothing with another C library
if [ "$(uname -m)" = "$machine" ] && printf '%s\n' "glibc $oldest" "$glibc" | sort -CV 2>/dev/null
then
    here=$(readlink -f "$0")
    exec "${here%/*}/_internal/chatdesk.bin" "$@"
fi

case ${LC_ALL:-${LC_MESSAGES:-$LANG}} in
zh*) words="此 ChatDesk 需要 $machine Linux 和 glibc $oldest 或更高版本；这台电脑是 $(uname -m)，\
${glibc:-没有 glibc}。请更新系统，或下载适合这台电脑的文件。" ;;
*) words="This ChatDesk needs a Linux for $machine with glibc $oldest or newer; here is one for \
$(uname -m) with ${glibc:-no glibc}. Update the system, or get the file for this computer." ;;
esac
echo "chatdesk: $words" >&2
if [ "${1:-open}" = open ] && [ -n "$DISPLAY$WAYLAND_DISPLAY" ]; then # by a click on an icon
    for dialog in "zenity --error --text" "kdialog --error" "xmessage -center"; do
        command -v "${dialog%% *}" >/dev/null && $dialog "$words" && break
    done
fi
exit 1
