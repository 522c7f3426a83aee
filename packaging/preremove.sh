#!/bin/sh
# Before the files go: at a removal the server is stopped, at an upgrade it is left alone. Debian says remove or upgrade, RPM 0 or 1.
set -e

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
if systemctl is-active --quiet setopsd; then
	echo "Stopping setopsd. Tasks of apps run on; setops stage:destroy would have ended them." >&2
fi
systemctl disable --now setopsd || true
