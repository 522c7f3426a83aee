package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// A Cluster is what its directory says. It has a number below clusters, from which its addresses follow.
type Cluster struct {
	Number    int
	Nodes     int
	Simulated int    // nodes, besides
	Programs  string // the directory of what it runs

	dir     string
	leashes []*os.File
	started sync.WaitGroup // the machines that this process has started
}

// clusters is how many can be on a machine at a time.
const clusters = 16

// base is of the machine and not of a user, because addresses are.
func base() string { return "/var/tmp/setops-kubernetes" }

// claim takes the first number that is free.
func claim(o Options, programs string) (*Cluster, error) {
	if o.Nodes < 0 || o.Nodes > 8 {
		return nil, fmt.Errorf("a cluster here has 0 to 8 nodes, not %d", o.Nodes)
	}
	if err := os.MkdirAll(base(), 0o755); err != nil {
		return nil, err
	}
	for n := range clusters {
		c := &Cluster{Number: n, Nodes: o.Nodes, Simulated: o.Simulated, Programs: programs, dir: filepath.Join(base(), strconv.Itoa(n))}
		err := os.Mkdir(c.dir, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return c, errors.Join(c.save(), watchers.raise(base()))
	}
	return nil, fmt.Errorf("there are %d clusters or what is left of them: see status, and end them with down NUMBER", clusters)
}

func (c *Cluster) save() error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.dir, "cluster.json"), text, 0o644)
}

// All are the clusters of this machine, and what is left of those that were killed.
func All() ([]*Cluster, error) {
	entries, err := os.ReadDir(base())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*Cluster
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		c := &Cluster{Number: n, dir: filepath.Join(base(), e.Name())}
		// One that was killed right behind its beginning has no file; its number is enough to end it.
		if text, err := os.ReadFile(filepath.Join(c.dir, "cluster.json")); err == nil {
			_ = json.Unmarshal(text, c)
		}
		all = append(all, c)
	}
	return all, nil
}

// Find gives the cluster of that number, as it stands in SETOPS_TEST_CLUSTER.
func Find(number string) (*Cluster, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if strconv.Itoa(c.Number) == number {
			return c, nil
		}
	}
	return nil, fmt.Errorf("there is no cluster %q on this machine", number)
}

// Kubeconfig is the file by which its administrator reaches it, from this machine.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Kubectl is a program that can be called with it.
func (c *Cluster) Kubectl() string { return filepath.Join(c.Programs, "kubectl") }

// Log is where the output of a program is: "control/etcd", "node1/kubelet".
func (c *Cluster) Log(program string) string {
	machine, name := filepath.Split(program)
	return filepath.Join(c.dir, machine, "log", name+".log")
}
