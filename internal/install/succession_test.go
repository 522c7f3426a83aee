//go:build linux

package install

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// TestServersInTheClusterSucceedEachOther installs SetOps, and deploys an app. Then who keeps the tasks is taken away in the middle of a
// commit, the nodes are drained one after the other, and the database is away: commits end, and the app answers all the time.
func TestServersInTheClusterSucceedEachOther(t *testing.T) {
	i := install(t)
	images := hello(t)
	i.signIn()
	i.deployFirst(images)
	url := i.urlOf("web")
	await(t, "the app answers", func() error { _, err := ask(t.Context(), url); return err })
	i.seesCluster()
	l := begin(t, url)
	i.inCommit(images, i.deleteKeeper)
	i.inCommit(images, i.pauseKeeper)
	i.drainEachNode()
	i.loseDatabase(l)
	i.setops("release:deploy", images+":1.1")
	await(t, "the app is at another version", func() error { return i.serves(url, "version 1.1") })
	l.end(t)
	i.setops("project:destroy", "shop", "--force")
}

// deployFirst is what docs/first-steps.md does.
func (i *installation) deployFirst(images string) {
	i.t.Helper()
	i.setops("project:create")
	i.setops("stage:create")
	i.setops("app:create", "web")
	i.setops("network:set", "port", "5000")
	i.setops("resource:set", "scale", "2")
	i.setops("changeset:commit")
	i.setops("release:deploy", images+":1.0")
}

// urlOf is where an app answers inside of the cluster.
func (i *installation) urlOf(app string) string {
	i.t.Helper()
	ip := i.kubectl("get", "services", "--all-namespaces", "--selector=setops.dev/installation="+instance+",setops.dev/app="+app,
		"--output=jsonpath={.items[0].spec.clusterIP}:{.items[0].spec.ports[0].port}")
	return "http://" + ip + "/"
}

func (i *installation) serves(url, version string) error {
	answer, err := ask(i.t.Context(), url)
	if err == nil && !strings.Contains(answer, version) {
		err = errors.New(answer)
	}
	return err
}

// inCommit takes the server away that runs a commit, once its new tasks run and before they serve.
func (i *installation) inCommit(images string, lose func()) {
	i.t.Helper()
	before := i.generations()
	type end struct {
		out  string
		code int
	}
	ended := make(chan end, 1)
	go func() {
		out, code := i.trySetops("", "release:deploy", images+":1.2")
		ended <- end{out, code}
	}()
	await(i.t, "the commit has begun new tasks", func() error {
		if now := i.generations(); now <= before {
			return fmt.Errorf("there are %d generations", now)
		}
		return nil
	})
	lost := time.Now()
	lose()
	e := <-ended
	i.t.Logf("the commit ended %s after its server was taken away, with exit code %d:\n%s", time.Since(lost).Round(time.Millisecond), e.code, e.out)
	await(i.t, "one generation is left", func() error {
		if now := i.generations(); now != 1 {
			return fmt.Errorf("there are %d", now)
		}
		return nil
	})
	i.rolledOut()
	i.setops("release:deploy", images+":1.0") // whatever became of it, the next one is made
}

func (i *installation) rolledOut() {
	i.t.Helper()
	i.kubectl("--namespace", "setops", "rollout", "status", "deployment/setopsd", "--timeout="+patience.String())
}

func (i *installation) awaitSuccessor(of setops.Keeper) {
	i.t.Helper()
	from := time.Now()
	await(i.t, "another server keeps the tasks", func() error {
		has, _, err := i.store.Keeper(i.t.Context())
		if err == nil && (has.Machine == of.Machine || has.Gone) {
			err = errors.New("none does yet")
		}
		return err
	})
	i.t.Logf("succeeded after %s", time.Since(from).Round(time.Millisecond))
}

// deleteKeeper has the cluster stop the server that keeps the tasks.
func (i *installation) deleteKeeper() {
	i.t.Helper()
	k, pod := i.keeper()
	i.kubectl("--namespace", "setops", "delete", pod, "--wait=false")
	i.awaitSuccessor(k)
}

// pauseKeeper stops the server that keeps the tasks without a word, as a node does that is lost, and lets it go on when another one has
// its place: it finds that out, and stands by from its next start on.
func (i *installation) pauseKeeper() {
	i.t.Helper()
	k, pod := i.keeper()
	process := i.process(k)
	must(i.t, process.Signal(syscall.SIGSTOP))
	i.awaitSuccessor(k)
	must(i.t, process.Signal(syscall.SIGCONT))
	await(i.t, "the server that was succeeded starts anew", func() error {
		const count = "{.status.containerStatuses[0].restartCount}"
		if n := i.kubectl("--namespace", "setops", "get", pod, "--output=jsonpath="+count); n != "1" {
			return fmt.Errorf("it was started anew %s times", n)
		}
		return nil
	})
	if log := i.kubectl("--namespace", "setops", "logs", pod, "--previous"); !strings.Contains(log, "keeps the tasks of this database by now") {
		i.t.Errorf("it does not say why it ended: %s", log)
	}
}

// generations counts the Deployments of the installation.
func (i *installation) generations() int {
	i.t.Helper()
	return len(strings.Fields(i.kubectl("get", "deployments", "--all-namespaces", "--selector=setops.dev/installation="+instance, "--output=name")))
}

// drainEachNode does what is done before a node is worked on: servers and tasks go elsewhere, also where all of an app are on the node.
func (i *installation) drainEachNode() {
	i.t.Helper()
	for _, node := range []string{"node1", "node2"} {
		i.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout="+patience.String())
		i.setops("app:ps")
		i.kubectl("uncordon", node)
		i.rolledOut()
	}
}

// loseDatabase takes the database away for longer than a keeper may be silent: one of the servers goes on when it is back.
func (i *installation) loseDatabase(l *load) {
	i.t.Helper()
	keeper, _ := i.keeper()
	i.database.cut()
	answered := func() int { return l.count("Hello from version 1.0") }
	since, before := time.Now(), answered()
	await(i.t, "the app is asked while the database is away", func() error {
		if time.Since(since) < 15*time.Second || answered() <= before {
			return fmt.Errorf("%d answers since %s", answered()-before, since.Format(time.TimeOnly))
		}
		return nil
	})
	i.database.back()
	await(i.t, "the servers answer again", func() error {
		if out, code := i.trySetops("", "app:ps"); code != 0 {
			return errors.New(out)
		}
		return nil
	})
	if now, _ := i.keeper(); now.Machine != keeper.Machine {
		i.t.Errorf("%s has succeeded %s, which was there all the time", now.Address, keeper.Address)
	}
}
