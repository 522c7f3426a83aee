package archtest

import "fmt"

// A ban is an arrow that no row of layers may grant, in patterns as there.
type ban struct {
	from, to string
	tests    bool // holds for tests as well
	why      string
}

var bans = []ban{
	{"pkg/...", "internal/...", true, "other modules import pkg, and cannot import internal"},
	{"pkg/api", "pkg/...", true, "wire types are all that two programs share"},
	{"internal/cli/...", "internal/... except internal/cli/...", true, "the CLI knows the API, and nothing of the server"},
	{"internal/... except internal/cli/... internal/manual/...", "internal/cli/...", false, "the server knows nothing of the CLI"},
	{"internal/setops", "internal/...", false, "the nouns are of nobody"},
	{"internal/graph", "internal/...", false, "a graph knows nothing of its nodes"},
	{"internal/probe", "internal/...", false, "a check knows an address and nothing of what is there"},
	{"internal/router", "internal/... except internal/router/...", false, "the router is given its table"},
	{"internal/registry", "internal/...", false, "the registry is an http.Handler behind a gate"},
	{"internal/engine/fake", "internal/engine/embedded/... internal/engine/docker", false, "engines share host, not each other"},
	{"internal/engine/embedded/...", "internal/engine/fake internal/engine/docker", false, "engines share host, not each other"},
	{"internal/engine/docker", "internal/engine/fake internal/engine/embedded/...", false, "engines share host, not each other"},
	{
		"internal/engine/host", "internal/engine/embedded/... internal/engine/docker internal/engine/fake", false,
		"the supervisor serves every runtime alike",
	},
	{"internal/httpapi", "internal/store internal/engine/... except internal/engine", false, "handlers ask use cases"},
	{
		"internal/... except internal/daemon internal/store/storetest internal/bench/fakeserver", "internal/store", false,
		"who needs the store declares what it needs of it",
	},
	{
		"internal/... except internal/daemon internal/engine/embedded/... internal/engine/docker",
		"internal/engine/embedded/... internal/engine/docker", false,
		"only the daemon chooses an engine",
	},
	{
		"internal/... cmd/... except internal/bench/fakeserver", "internal/engine/fake internal/engine/enginetest/... except internal/engine/enginetest/script",
		false, "they are for tests",
	},
	{"internal/... cmd/... except internal/store/storetest", "internal/store/pgtest internal/store/storetest", false, "they are for tests"},
	{"internal/... cmd/...", "internal/freeport", false, "it is for tests"},
	{"internal/... except internal/bench/fakeserver internal/manual", "internal/daemon", false, "the daemon joins all others, and is for cmd/setopsd"},
}

func drawsNoBannedArrow(units []unit) []string {
	var found []string
	for _, b := range bans {
		for _, u := range units {
			if !matches(b.from, u.path) {
				continue
			}
			for _, own := range u.ownImports(b.tests) {
				if own != u.path && matches(b.to, own) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", u.path, own, b.why))
				}
			}
		}
	}
	return found
}
