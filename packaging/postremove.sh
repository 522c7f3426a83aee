#!/bin/sh
# After the files are gone. The data is nobody's to remove but the operator's, at a purge too.
set -e

case "$1" in
remove | purge | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" != remove ] && [ -d /var/lib/setops ]; then
	echo "/var/lib/setops is kept: databases, images and keys. To remove it: rm -r /var/lib/setops" >&2
fi
