# An image with setopsd and nothing else:
#
#	docker build -t setopsd .                                    from the sources, in an image that has Go
#	make setopsd && docker build --target binary -t setopsd .    from bin/setopsd, without anything of a registry
#
# The server runs containers of its own, with namespaces, cgroups, mounts and a packet filter, so it needs most of what the machine
# has; docs/install.md says when a package is the better way.
#
#	docker run --privileged --cgroupns host --network host \
#	  -v /var/lib/setops:/var/lib/setops -v /sys/fs/cgroup:/sys/fs/cgroup setopsd
#
#	--privileged        mounts, namespaces, cgroups and nftables. Narrower, and enough: --cap-add SYS_ADMIN --cap-add NET_ADMIN
#	                    --cap-add SYS_PTRACE, with --security-opt seccomp=unconfined, apparmor=unconfined and systempaths=unconfined
#	--cgroupns host     tasks get cgroups of the machine's tree, /sys/fs/cgroup
#	--network host      apps answer at the machine's addresses: 8080 http, 20000-20099 tcp, 8443 or what --https-listen says
#	                    tls. The API and the registry listen on 127.0.0.1:7700
#	/etc/ssl/certs      which authorities are trusted, for --acme-email and the like: -v /etc/ssl/certs:/etc/ssl/certs:ro. Images
#	                    from the sources have them
#	/var/lib/setops     everything that the server keeps; without it, it is gone with the container
#
# Settings are variables, as SETOPSD_DOMAIN, or arguments behind serve. Process 1 of a container cannot be replaced in place: to
# upgrade, replace the container.

ARG GO_IMAGE=golang:1.26-bookworm

FROM scratch AS base
VOLUME /var/lib/setops
EXPOSE 7700 8080 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/setopsd"]
CMD ["serve"]

FROM base AS binary
COPY bin/setopsd /usr/bin/setopsd

FROM ${GO_IMAGE} AS build
ARG VERSION=0.0.0-dev
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev libseccomp-dev make pkg-config
WORKDIR /src
COPY . .
RUN make setopsd VERSION=${VERSION}

FROM base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/setopsd /usr/bin/setopsd
