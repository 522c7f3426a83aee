#!/bin/sh
# Deploys one app with setops, from any CI. The templates beside it run it; docs/ci/README.md says what the variables are.
#
# In order: get setops if it is not there, sign in, and deploy: push, make a release, migrate, activate, wait until the new tasks
# are healthy. Whatever fails, the app serves on as before, and nothing stays staged.
set -eu

fail() {
	printf 'setops: %s\n' "$*" >&2
	exit 1
}

: "${SETOPS_URL:?the address of the server}" "${SETOPS_ORGANIZATION:?the organization}"
: "${SETOPS_PROJECT:?the project}" "${SETOPS_STAGE:?the stage}" "${SETOPS_APP:?the app}" "${SETOPS_IMAGE:?what to deploy}"
export SETOPS_URL SETOPS_ORGANIZATION SETOPS_PROJECT SETOPS_STAGE SETOPS_APP

# What setops writes, its session above all, goes with the job. Docker's own settings stay where they are.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export DOCKER_CONFIG="${DOCKER_CONFIG:-$HOME/.docker}" HOME="$work/home"
mkdir -p "$HOME"

# get_setops fetches the archive of a release, and takes it only if it is the one that was meant.
get_setops() {
	command -v setops >/dev/null 2>&1 && return
	[ -n "${SETOPS_ARCHIVE:-}" ] || fail 'there is no setops here: install it, or set SETOPS_ARCHIVE and SETOPS_ARCHIVE_SHA256'
	[ -n "${SETOPS_ARCHIVE_SHA256:-}" ] || fail 'SETOPS_ARCHIVE_SHA256 is missing: it is in the checksums.txt of the release'
	curl -fsSL --retry 3 -o "$work/setops.tar.gz" "$SETOPS_ARCHIVE"
	printf '%s  %s\n' "$SETOPS_ARCHIVE_SHA256" "$work/setops.tar.gz" | sha256sum -c - >/dev/null ||
		fail "$SETOPS_ARCHIVE is not what SETOPS_ARCHIVE_SHA256 says"
	mkdir "$work/bin"
	tar -xzf "$work/setops.tar.gz" -C "$work/bin" setops
	PATH=$work/bin:$PATH
}

# sign_in makes a session, where no token stands for one.
sign_in() {
	[ -z "${SETOPS_TOKEN:-}" ] || return 0
	: "${SETOPS_USER:?the service user, or SETOPS_TOKEN}" "${SETOPS_PASSWORD:?the password of the service user}"
	printf '%s\n' "$SETOPS_ORGANIZATION" "$SETOPS_USER" "$SETOPS_PASSWORD" | setops login --service-user --no-setup >/dev/null
}

get_setops
sign_in
if [ "${SETOPS_DISCARD_FIRST:-}" = true ]; then
	setops changeset:discard --ignore-not-exist >/dev/null
fi
set -- "$SETOPS_IMAGE" ${SETOPS_MESSAGE:+-m "$SETOPS_MESSAGE"}
if [ -n "${SETOPS_MIGRATE:-}" ]; then
	set -- "$@" -- /bin/sh -c "$SETOPS_MIGRATE"
fi
setops release:deploy "$@"
setops app:ps "$SETOPS_APP" >&2
