#!/bin/sh
# Deploys one app with setops, from any CI. The templates beside it run it; docs/ci/README.md says what the variables are.
#
# In order: get setops if it is not there, sign in, push the image, make a release of it, migrate, activate, commit and wait until
# the new tasks are healthy. Whatever fails, nothing has changed for the app, and nothing stays staged.
set -eu

say() { printf 'setops: %s\n' "$*" >&2; }
fail() {
	say "$*"
	exit 1
}

: "${SETOPS_URL:?the address of the server}"
: "${SETOPS_PROJECT:?the project}"
: "${SETOPS_STAGE:?the stage}"
: "${SETOPS_APP:?the app}"
export SETOPS_URL SETOPS_PROJECT SETOPS_STAGE SETOPS_APP

# What the program writes, its session above all, goes with the job.
work=$(mktemp -d)
export HOME="$work/home"
mkdir -p "$HOME"
staged=
finish() {
	code=$?
	trap - EXIT
	if [ -n "$staged" ]; then
		say 'dropping what was staged'
		setops changeset:discard --ignore-not-exist >/dev/null || true
	fi
	rm -rf "$work"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

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

sign_in() {
	if [ -n "${SETOPS_TOKEN:-}" ]; then
		: "${SETOPS_ORGANIZATION:?the organization of SETOPS_TOKEN}"
		export SETOPS_TOKEN SETOPS_ORGANIZATION
		return
	fi
	: "${SETOPS_ORGANIZATION:?the organization}" "${SETOPS_USER:?the service user}" "${SETOPS_PASSWORD:?its password}"
	printf '%s\n' "$SETOPS_ORGANIZATION" "$SETOPS_USER" "$SETOPS_PASSWORD" | setops login --service-user --no-setup >/dev/null
}

# must_be_clean refuses to commit what somebody else has staged as this user: a user of its own for each job is best.
must_be_clean() {
	if [ "${SETOPS_DISCARD_FIRST:-}" = true ]; then
		setops changeset:discard --ignore-not-exist >/dev/null
	fi
	if setops changeset:info >&2 2>"$work/why"; then
		fail "something is staged on $SETOPS_PROJECT/$SETOPS_STAGE already: look at it, or set SETOPS_DISCARD_FIRST=true"
	fi
	grep -q 'Nothing is staged' "$work/why" || {
		cat "$work/why" >&2
		exit 1
	}
}

# push sends SETOPS_IMAGE to the app's repository and sets digest. A name is one of the local Docker; oci:DIRECTORY, docker-archive:FILE and
# what else skopeo takes needs no Docker.
push() {
	registry=${SETOPS_URL#*://}
	registry=${registry%/}
	repository=$registry/$SETOPS_ORGANIZATION/$SETOPS_PROJECT/$SETOPS_STAGE/$SETOPS_APP
	tag=${SETOPS_TAG:-latest}
	user=${SETOPS_USER:-token}
	password=${SETOPS_PASSWORD:-${SETOPS_TOKEN:-}}
	say "pushing $SETOPS_IMAGE to $repository:$tag"
	case $SETOPS_IMAGE in
	oci:* | oci-archive:* | docker-archive:* | dir:* | docker:* | containers-storage:*)
		tls=true
		case $SETOPS_URL in http://*) tls=false ;; esac
		printf '%s' "$password" | skopeo login --authfile "$work/auth.json" --tls-verify=$tls -u "$user" --password-stdin "$registry" >/dev/null
		skopeo copy --quiet --dest-authfile "$work/auth.json" --dest-tls-verify=$tls --digestfile "$work/digest" "$SETOPS_IMAGE" "docker://$repository:$tag"
		;;
	*)
		printf '%s' "$password" | docker --config "$work/docker" login -u "$user" --password-stdin "$registry" >/dev/null
		docker tag "$SETOPS_IMAGE" "$repository:$tag"
		docker --config "$work/docker" push "$repository:$tag" | tee "$work/push" >&2
		sed -n 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/p' "$work/push" >"$work/digest"
		;;
	esac
	digest=$(cat "$work/digest")
	[ -n "$digest" ] || fail 'the push told no digest'
}

get_setops
sign_in
must_be_clean

digest=${SETOPS_DIGEST:-}
if [ -n "${SETOPS_IMAGE:-}" ]; then
	push
fi
[ -n "$digest" ] || fail 'nothing to deploy: set SETOPS_IMAGE, or SETOPS_DIGEST of an image that was pushed before'

staged=yes
release=$(setops release:create "$digest" -o plain | sed -n 's/^ReleaseID: *//p')
[ -n "$release" ] || fail 'the release has no number'
say "release $release is $digest"
if [ -n "${SETOPS_MIGRATE:-}" ]; then
	setops release:activate "$release" --before -- /bin/sh -c "$SETOPS_MIGRATE" >/dev/null
else
	setops release:activate "$release" >/dev/null
fi
setops changeset:commit -m "${SETOPS_MESSAGE:-Release $release}" --wait-timeout "${SETOPS_WAIT:-30m}"
staged=
say "release $release of $SETOPS_APP is live on $SETOPS_PROJECT/$SETOPS_STAGE"
setops app:ps "$SETOPS_APP" >&2
