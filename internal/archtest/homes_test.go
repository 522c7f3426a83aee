package archtest

import (
	"fmt"
	"slices"
)

// A home says which packages may import a third-party module, so that replacing it touches one place. Tests may use what
// they like of them.
type home struct {
	module string // and all packages below it
	of     string // a pattern as in layers
}

var homes = []home{
	// The API and its client.
	{"github.com/go-resty/resty/v2", "pkg/client"},
	{"github.com/danielgtaylor/huma/v2", "internal/httpapi"},

	// The CLI. The daemon has flags and a file for them too.
	{"github.com/spf13/viper", "internal/cli/config"},
	{"github.com/olekukonko/tablewriter", "internal/cli/render"},
	{"github.com/briandowns/spinner", "internal/cli/render"},
	{"github.com/gofrs/flock", "internal/cli/config"},
	{"golang.org/x/term", "internal/cli/kit internal/guide/demo"},
	{"github.com/spf13/cobra", "internal/manual internal/cli/... internal/daemon except internal/cli/config internal/cli/render"},
	{"github.com/spf13/pflag", "internal/manual internal/cli/root internal/daemon"},
	{"go.yaml.in/yaml/v3", "internal/cli/config internal/daemon internal/definition"},
	{"github.com/docker/docker-credential-helpers", "internal/cli/cmd/docker"},
	{"github.com/google/shlex", "internal/changeset"},

	// What remembers.
	{"modernc.org/sqlite", "internal/store"},
	{"github.com/jackc/pgx/v5", "internal/store internal/store/pgtest"},
	{"github.com/pressly/goose/v3", "internal/store"},
	{"golang.org/x/crypto/argon2", "internal/auth"},
	{"golang.org/x/crypto/chacha20poly1305", "internal/seal"},

	// Who somebody is, as others say.
	{"github.com/coreos/go-oidc/v3", "internal/oidc"},
	{"golang.org/x/oauth2", "internal/oidc"},
	{"github.com/go-jose/go-jose/v4", "internal/oidc/oidctest"},
	{"github.com/wneessen/go-mail", "internal/mail"},

	// Certificates: ACME, and the logger that certmagic insists on.
	{"github.com/caddyserver/certmagic", "internal/certs"},
	{"github.com/mholt/acmez/v3", "internal/certs"},
	{"go.uber.org/zap", "internal/certs"},

	// The registry: distribution and the modules that its interface is made of.
	{"github.com/distribution/distribution/v3", "internal/registry"},
	{"github.com/distribution/reference", "internal/registry"},
	{"github.com/gorilla/mux", "internal/registry"},
	{"github.com/aws/aws-sdk-go", "internal/registry"}, // what distribution's driver of S3 says went wrong
	{"github.com/johannesboyne/gofakes3", "internal/registry/s3test"},
	{"github.com/opencontainers/go-digest", "internal/registry"},
	{"github.com/opencontainers/image-spec", "internal/registry"},
	{"github.com/sirupsen/logrus", "internal/registry"},

	// The embedded engine.
	{"github.com/opencontainers/runc", "internal/engine/embedded/shim"},
	{"github.com/opencontainers/cgroups", "internal/engine/embedded/... cmd/setops-shim"},
	{"github.com/opencontainers/runtime-spec", "internal/engine/embedded/..."},
	{"github.com/moby/profiles/seccomp", "internal/engine/embedded"},
	{"github.com/moby/sys/user", "internal/engine/embedded/rootfs"},
	{"github.com/containerd/containerd/v2", "internal/engine/embedded/image"},
	{"github.com/klauspost/compress", "internal/engine/embedded/image"},
	{"github.com/vishvananda/netlink", "internal/engine/nft internal/engine/subnet internal/engine/gateway internal/engine/embedded/network"},
	{"github.com/google/nftables", "internal/engine/nft internal/engine/gateway internal/engine/embedded/network"},
	{"github.com/miekg/dns", "internal/engine/lookup internal/engine/gateway internal/engine/kubernetes/names internal/domain"},
	{"golang.org/x/sync", "internal/engine/host internal/engine/kubernetes"},
	{"github.com/coder/websocket", "pkg/client internal/httpapi internal/bench/traffic internal/bench/echo"},

	// Docker Engine: its client, and the modules that its interface is made of.
	{"github.com/moby/moby", "internal/engine/docker"},
	{"github.com/containerd/errdefs", "internal/engine/docker"},

	// Kubernetes: its client, and the modules that its interface is made of.
	{"k8s.io/client-go", "internal/kube internal/engine/kubernetes internal/engine/kubernetes/names internal/edge/space internal/engine/kubernetes/meter"},
	{"k8s.io/apimachinery", "internal/kube internal/engine/kubernetes internal/engine/kubernetes/object internal/engine/kubernetes/names internal/engine/kubernetes/isolation internal/edge/space"},
	{"k8s.io/klog/v2", "internal/kube"},
	{"k8s.io/streaming", "internal/engine/kubernetes"},
	{"sigs.k8s.io/gateway-api", "internal/kube internal/engine/kubernetes internal/engine/kubernetes/object"},
	{"k8s.io/api", "internal/kube internal/engine/kubernetes internal/engine/kubernetes/object internal/engine/kubernetes/names internal/engine/kubernetes/isolation internal/edge/space"},

	// Images as values: the engine reads them, tools make them.
	{
		"github.com/google/go-containerregistry",
		"internal/engine/embedded internal/engine/embedded/image internal/cli/image internal/bench internal/example/pack " +
			"internal/engine/kubernetes/cluster",
	},

	// Names of other scripts in DNS.
	{"golang.org/x/net/idna", "internal/setops"},

	// When a schedule is due: the parser of it only.
	{"github.com/robfig/cron/v3", "internal/setops"},

	// System calls, where the standard library has none.
	{"golang.org/x/sys", "internal/engine/... internal/daemon internal/handover internal/router/transport internal/bench"},

	// Differences between texts, as the end-to-end tests show them.
	{"github.com/rogpeppe/go-internal", "internal/guide"},
}

func importsModulesAtHome(units []unit) []string {
	var found []string
	for _, u := range units {
		for _, imp := range u.foreignImports() {
			i := slices.IndexFunc(homes, func(h home) bool { return matches(h.module+"/...", imp) })
			switch {
			case i < 0:
				found = append(found, fmt.Sprintf("%s imports %s, which has no home", u.path, imp))
			case !matches(homes[i].of, u.path):
				found = append(found, fmt.Sprintf("%s imports %s, which lives in %s", u.path, imp, homes[i].of))
			}
		}
	}
	return found
}
