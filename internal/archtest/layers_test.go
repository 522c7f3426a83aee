package archtest

import (
	"fmt"
	"slices"
)

// A row says what of ours a package may import: packages of rows above its own, and no others.
//
// A pattern is a directory from the root of the module, or one with /... for it and all below, or such a one and
// "except" with others. Inside one row packages may import each other.
type row struct {
	pkg  string
	from []string
}

// layers is the table of docs/architecture.md, "Packages". A package without a row is a violation, and so is a row
// without a package.
var layers = []row{
	// 1: of nobody.
	{"pkg/api", nil},
	{"docs", nil}, // the manual, as files
	{"internal/setops", nil},
	{"internal/graph", nil},
	{"internal/probe", nil},
	{"internal/router/transport", nil},
	{"internal/router", []string{"internal/router/transport"}},
	{"internal/registry", nil},
	{"internal/registry/s3test", nil},
	{"internal/handover", nil},
	{"internal/kube", nil},
	{"internal/freeport", nil}, // of tests

	// 2: the pure core, the port of engines, the client.
	{"pkg/client", []string{"pkg/api"}},
	{"internal/changeset", []string{"internal/setops"}},
	{"internal/definition", []string{"internal/changeset", "internal/setops"}},
	{"internal/plan", []string{"internal/setops", "internal/graph"}},
	{"internal/engine", []string{"internal/setops"}},
	{"internal/seal", []string{"internal/setops"}},
	{"internal/pull", []string{"internal/setops"}},

	{"internal/idempotency", []string{"internal/setops"}},

	// 3: engines. They share the supervisor and the format of logs, and know nothing of each other.
	{"internal/engine/logfile", nil}, // the shim writes it, and shall not link the supervisor
	{"internal/engine/tasklog", []string{"internal/engine", "internal/engine/logfile"}},
	{"internal/engine/record", nil},
	{"internal/engine/watch", nil},
	{"internal/engine/platform", []string{"internal/engine"}},
	{"internal/engine/verdict", []string{"internal/engine", "internal/probe", "internal/setops"}}, // all engines say it in the same words
	{"internal/engine/host", []string{
		"internal/engine", "internal/engine/logfile", "internal/engine/record", "internal/engine/tasklog", "internal/engine/verdict", "internal/engine/watch",
		"internal/probe", "internal/setops",
	}},
	{"internal/engine/enginetest/...", []string{"internal/engine", "internal/setops"}},
	{"internal/engine/fake", []string{
		"internal/engine", "internal/engine/host", "internal/engine/logfile", "internal/setops",
		"internal/engine/enginetest/script", // a fake task behaves as the suite's image does
	}},
	{"internal/engine/nft", nil},
	{"internal/engine/subnet", nil},
	{"internal/engine/lookup", nil},
	{"internal/engine/gateway", []string{ // for engines that have bridges
		"internal/engine", "internal/engine/lookup", "internal/engine/nft", "internal/engine/subnet", "internal/setops",
	}},
	{"internal/engine/docker", []string{
		"internal/engine", "internal/engine/gateway", "internal/engine/host", "internal/engine/logfile", "internal/engine/platform",
		"internal/engine/subnet", "internal/setops",
	}},
	{"internal/engine/kubernetes/cluster/...", nil}, // of tests
	{"internal/engine/kubernetes/meter", nil},       // of tests
	{"internal/engine/kubernetes/latch/...", nil},
	{"internal/engine/kubernetes/object", []string{"internal/engine", "internal/probe", "internal/setops"}},
	{"internal/engine/kubernetes/isolation", []string{"internal/engine/kubernetes/object", "internal/kube"}},
	{"internal/engine/kubernetes/names", []string{
		"internal/engine/lookup", "internal/engine/kubernetes/object", "internal/kube",
	}},
	{"internal/engine/kubernetes", []string{
		"internal/engine", "internal/engine/kubernetes/isolation", "internal/engine/kubernetes/object", "internal/engine/logfile", "internal/engine/platform", "internal/kube",
		"internal/engine/record", "internal/engine/tasklog", "internal/engine/verdict", "internal/engine/watch", "internal/probe", "internal/setops",
	}},
	{"internal/engine/embedded/wire", nil},
	{"internal/engine/embedded/rootfs", nil},
	{"internal/engine/embedded/shimbin", nil},
	{"internal/engine/embedded/shim", []string{
		"internal/engine/embedded/wire", "internal/engine/embedded/rootfs", "internal/engine/logfile",
	}},
	{"internal/engine/embedded/image", []string{"internal/engine", "internal/engine/host", "internal/setops"}},
	{"internal/engine/embedded/network", []string{
		"internal/engine", "internal/engine/gateway", "internal/engine/nft", "internal/engine/subnet", "internal/setops",
	}},
	{"internal/engine/embedded", []string{
		"internal/engine", "internal/engine/host", "internal/setops", "internal/engine/embedded/image",
		"internal/engine/embedded/network", "internal/engine/embedded/rootfs", "internal/engine/embedded/wire",
	}},

	// 3: what remembers, what acts, the use cases.
	{"internal/store", []string{"internal/setops", "internal/changeset", "internal/plan", "internal/idempotency"}},
	{"internal/store/pgtest", nil}, // of tests: this one and the next
	{"internal/store/storetest", []string{"internal/store", "internal/store/pgtest"}},
	{"internal/certs", []string{"internal/setops"}},
	{"internal/apply", []string{"internal/plan", "internal/graph", "internal/engine", "internal/setops"}},
	{"internal/auth", []string{"internal/setops"}},
	{"internal/oidc", nil},
	// of tests
	{"internal/oidc/oidctest", nil},
	{"internal/project", []string{"internal/auth", "internal/setops"}}, // who makes a project has a role in it
	{"internal/audit", []string{"internal/setops"}},
	{"internal/mail", []string{"internal/setops"}},
	{"internal/user", []string{"internal/auth", "internal/setops"}},
	{"internal/staging", []string{
		"internal/changeset", "internal/seal", "internal/setops", "internal/idempotency",
		"internal/engine", // release:create asks whether the image can run here
	}},
	{"internal/app", []string{"internal/plan", "internal/setops"}},
	{"internal/domain", []string{"internal/changeset", "internal/setops"}},
	{"internal/task", []string{
		"internal/engine", "internal/setops",
		"internal/changeset", // task:run takes a release of one's own changeset
	}},
	{"internal/schedule", []string{"internal/engine", "internal/setops"}},
	{"internal/gc", []string{"internal/engine", "internal/registry", "internal/setops"}},
	{"internal/routing", []string{"internal/plan", "internal/engine", "internal/probe", "internal/router", "internal/setops"}},

	// Routers that run beside setopsd: what both sides read and write, each side, the cluster between them.
	{"internal/edge/published", []string{"internal/routing"}},
	{"internal/edge/edgetest", []string{"internal/edge/published"}}, // of tests
	{"internal/edge/publish", []string{"internal/edge/published", "internal/routing"}},
	{"internal/edge/space", []string{"internal/edge/published", "internal/engine/kubernetes/object", "internal/kube"}},
	{"internal/edge", []string{"internal/edge/published", "internal/handover", "internal/router"}},

	{"internal/history", []string{ // a revert names images, and shows values
		"internal/changeset", "internal/plan", "internal/engine", "internal/seal", "internal/setops", "internal/idempotency",
	}},

	{"internal/define", []string{ // a definition names images, and has values
		"internal/changeset", "internal/definition", "internal/engine", "internal/seal", "internal/setops", "internal/idempotency",
	}},

	// 4 and 5: the use case of use cases, and the API over all of them.
	{"internal/commit", []string{
		"internal/changeset", "internal/plan", "internal/apply", "internal/engine", "internal/setops",
	}},
	{"internal/httpapi", []string{
		"pkg/api", "internal/setops", "internal/changeset", "internal/plan", "internal/engine", "internal/idempotency",
		"internal/auth", "internal/project", "internal/staging", "internal/app", "internal/domain", "internal/task", "internal/schedule",
		"internal/commit", "internal/history", "internal/define", "internal/definition", "internal/user",
	}},

	{"internal/web", []string{"internal/setops", "internal/auth", "internal/oidc"}},

	// 6: what joins. The daemon knows the server, the CLI knows the client.
	{"internal/daemon", []string{"internal/... except internal/cli/..."}},
	{"internal/cli/config", nil},
	{"internal/cli/render", []string{"pkg/api"}},
	{"internal/cli/docker", []string{"internal/cli/config"}},
	{"internal/cli/image", nil},
	{"internal/cli/kit", []string{"pkg/api", "pkg/client", "internal/cli/config", "internal/cli/render"}},
	{"internal/cli/cmd/...", []string{
		"docs", "pkg/api", "pkg/client", "internal/cli/config", "internal/cli/render", "internal/cli/kit", "internal/cli/docker",
		"internal/cli/image",
	}},
	{"internal/cli/root", []string{"internal/cli/kit", "internal/cli/cmd/..."}},
	{"internal/cli", []string{"pkg/api", "pkg/client", "internal/cli/docker", "internal/cli/kit", "internal/cli/root"}},

	// 7: programs.
	{"cmd/setops", []string{"internal/cli"}},
	{"cmd/setopsd", []string{"internal/daemon"}},
	{"cmd/setops-shim", []string{"internal/engine/embedded/shim"}},

	// Tests and tools.
	{"internal/archtest", nil},
	{"internal/crash", nil},
	{"internal/e2e", nil},
	{"internal/release", nil},
	{"internal/manual/...", []string{"internal/cli/kit", "internal/cli/root", "internal/daemon", "internal/httpapi", "internal/manual"}},
	{"internal/system/...", nil},
	{"internal/transact", nil},
	{"internal/example/...", nil},
	{"internal/guide/...", nil},
	{"internal/install", nil},
	{"internal/bench/load", []string{"pkg/api", "pkg/client"}},
	{"internal/bench/fakeserver", []string{ // is a setopsd
		"internal/setops", "internal/changeset", "internal/idempotency", "internal/auth", "internal/store",
		"internal/engine", "internal/engine/fake", "internal/daemon",
	}},
	{"internal/bench/...", []string{
		"pkg/api", "pkg/client", "internal/router", "internal/changeset", "internal/plan", "internal/setops", "internal/bench/load",
		"internal/engine/kubernetes/cluster", "internal/engine/kubernetes/meter",
	}},
}

func rowOf(pkg string) int {
	return slices.IndexFunc(layers, func(r row) bool { return matches(r.pkg, pkg) })
}

func importsOnlyFromAbove(units []unit) []string {
	var found []string
	for _, u := range units {
		line := rowOf(u.path)
		if line < 0 {
			found = append(found, u.path+" has no row in the table")
			continue
		}
		for _, own := range u.ownImports(false) {
			switch above := rowOf(own); {
			case above == line:
			case above > line:
				found = append(found, fmt.Sprintf("%s imports %s, whose row is below its own", u.path, own))
			case !matchesAny(layers[line].from, own):
				found = append(found, fmt.Sprintf("%s imports %s, which its row does not grant", u.path, own))
			}
		}
	}
	return found
}
