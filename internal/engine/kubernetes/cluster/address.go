package cluster

import (
	"fmt"
	"net"
	"strconv"
	"sync"
)

// Host is the address at which pods and nodes reach this machine. A listener on it is reached by nobody else.
func (c *Cluster) Host() string { return c.address(0, 1) }

// The nodes pull in clear from these ports of this machine.
const (
	firstRegistry = 5500
	mostRegistry  = 16
)

// Registry is where the nodes pull from in clear, HOST:PORT: what a test's registry shall listen on.
func (c *Cluster) Registry() string { return registry(c.Host(), 0) }

func registry(host string, i int) string {
	return net.JoinHostPort(host, strconv.Itoa(firstRegistry+i))
}

// taken are the registries of this process, of all clusters.
var taken struct {
	sync.Mutex
	registries map[string]bool
}

// TakeRegistry gives another such address, for tests that run beside each other. It is free for others after release, which can be called once.
// There are 16; more are an error.
func (c *Cluster) TakeRegistry() (address string, release func(), err error) {
	return takeRegistry(c.Host())
}

func takeRegistry(host string) (address string, release func(), err error) {
	taken.Lock()
	defer taken.Unlock()
	if taken.registries == nil {
		taken.registries = map[string]bool{}
	}
	for i := range mostRegistry {
		address := registry(host, i)
		if taken.registries[address] {
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue // another process has it
		}
		if err := l.Close(); err != nil {
			return "", nil, err
		}
		taken.registries[address] = true
		return address, func() {
			taken.Lock()
			defer taken.Unlock()
			delete(taken.registries, address)
		}, nil
	}
	return "", nil, fmt.Errorf("all %d registries of %s are taken", mostRegistry, host)
}

// Cluster N has 10.(220+N).0.0/16: 0 for this machine and the machines of the cluster, I for the pods of node I, the upper half for services.
func (c *Cluster) address(third, fourth int) string {
	return fmt.Sprintf("10.%d.%d.%d", 220+c.Number, third, fourth)
}

func (c *Cluster) controlAddress() string      { return c.address(0, 2) }
func (c *Cluster) nodeAddress(node int) string { return c.address(0, 10+node) }
func (c *Cluster) pods(node int) string        { return c.address(node, 0) + "/24" }
func (c *Cluster) network() string             { return c.address(0, 0) + "/16" }
func (c *Cluster) services() string            { return c.address(128, 0) + "/17" }
func (c *Cluster) apiService() string          { return c.address(128, 1) }
func (c *Cluster) dnsService() string          { return c.address(128, 10) }

func node(i int) string { return fmt.Sprintf("node%d", i) }

// link is the interface of the host that leads to the cluster.
func (c *Cluster) link() string { return fmt.Sprintf("sokube%d", c.Number) }

// group is the control group that the pods of all nodes are in, below the root.
func (c *Cluster) group() string { return fmt.Sprintf("setops-kubernetes-%d", c.Number) }
