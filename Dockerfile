# An image with setopsd and nothing else:
#
#	make setopsd && docker build -t setopsd .             from bin/setopsd, without anything from a registry
#	docker build --build-arg BUILD=sources -t setopsd .   from the sources alone, in an image that has Go
#
# The server runs containers of its own, with namespaces, cgroups, mounts and a packet filter, so it needs most of what the machine
# has; docs/install.md says when a package is the better way.
#
#	docker run --privileged --cgroupns host --network host \
#	  -v /var/lib/setops:/var/lib/setops -v /sys/fs/cgroup:/sys/fs/cgroup setopsd
#
#	--privileged        mounts, namespaces, cgroups and nftables
#	--cgroupns host     tasks get cgroups of the machine's tree, /sys/fs/cgroup
#	--network host      apps answer at the machine's addresses: 8080 http, 20000-20099 tcp, 8443 or what --https-listen says
#	                    tls. The API and the registry listen on 127.0.0.1:7700
#	/var/lib/setops     everything that the server keeps; without it, it is gone with the container
#
# Settings are variables, as SETOPSD_DOMAIN, or arguments behind serve. Process 1 of a container cannot be replaced in place: to
# upgrade, replace the container.

# BUILD chooses where the program comes from: binary, or sources.
ARG BUILD=binary
ARG GO_IMAGE=golang:1.26-bookworm

FROM scratch AS binary
COPY bin/setopsd /setopsd

FROM ${GO_IMAGE} AS sources
ARG VERSION=0.0.0-dev
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libseccomp-dev make pkg-config
WORKDIR /src
COPY . .
RUN make setopsd VERSION=${VERSION} && cp bin/setopsd /setopsd

FROM ${BUILD} AS program

FROM scratch
COPY --from=program /setopsd /usr/bin/setopsd
COPY --from=program /etc/ssl/cert[s]/ca-certificates.crt /etc/ssl/certs/
VOLUME /var/lib/setops
EXPOSE 7700 8080 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/setopsd"]
CMD ["serve"]
