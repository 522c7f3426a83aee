package archtest

import "slices"

// An exemption says where a package without tests of its own is tested instead.
type exemption struct {
	pkg string // a pattern as in layers
	why string
}

var testedElsewhere = []exemption{
	{"pkg/api", "wire types with names and paths; pkg/client and internal/e2e call them"},
	{"internal/oidc/oidctest", "is what the tests of internal/oidc and internal/web sign in with"},
	{"internal/edge/edgetest", "is what the tests of internal/edge and internal/edge/publish stand on"},
	{"internal/registry/s3test", "is the bucket that the tests of internal/registry push to"},
	{"internal/engine/enginetest/...", "is the suite that engines pass"},
	{"internal/engine/kubernetes/cluster/clustertest", "says where the cluster is, to the tests of internal/engine/kubernetes, internal/system and internal/crash"},
	{"internal/engine/kubernetes/latch/latchtest", "builds what the tests of internal/engine/kubernetes and of its latch are of"},
	{"internal/engine/embedded/shim", "runs beside a container only; the tests of internal/engine/embedded are of it"},
	{"internal/engine/embedded/wire", "what setopsd and shim tell each other; the tests of internal/engine/embedded are of it"},
	{"internal/cli/cmd/...", "internal/cli compares whole screens and the requests behind them"},
}

func hasTests(units []unit) []string {
	var found []string
	for _, u := range units {
		if !untested(u) {
			continue
		}
		if !slices.ContainsFunc(testedElsewhere, func(e exemption) bool { return matches(e.pkg, u.path) }) {
			found = append(found, u.path+" has no tests")
		}
	}
	return found
}

// untested tells packages that do something and have no test beside it.
func untested(u unit) bool {
	if u.program() || !matches("internal/... pkg/...", u.path) {
		return false
	}
	does := slices.ContainsFunc(u.product(), func(f file) bool { return len(f.funcs) > 0 })
	return does && len(u.product()) == len(u.files)
}
