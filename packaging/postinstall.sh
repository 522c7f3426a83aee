#!/bin/sh
# After the files are there. Debian calls it with "configure" and, at an upgrade, the version before; RPM with the number of
# versions that are installed then.
set -e

# Without systemd, as in a container or while an image is made, there is nothing to tell.
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || true

if systemctl is-active --quiet setopsd; then
	# The new program takes over from the one that runs: no request is lost, and tasks run on.
	systemctl reload setopsd ||
		echo "setopsd goes on as the version before; look at journalctl -u setopsd, then: systemctl reload setopsd" >&2
elif [ "$1" = configure ] && [ -z "$2" ] || [ "$1" = 1 ]; then
	echo "setopsd is installed and not started. To start it, now and with the machine: systemctl enable --now setopsd"
fi
