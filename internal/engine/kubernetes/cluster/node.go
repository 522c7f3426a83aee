package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// startNode starts a node's machine with containerd, which can be without the API server.
func (c *Cluster) startNode(ctx context.Context, i int, leashed bool) error {
	machines, err := c.machines()
	if err != nil {
		return err
	}
	pid, err := c.startMachine(node(i), leashed)
	if err != nil {
		return err
	}
	if err := c.wireNode(ctx, i, machines[control], pid); err != nil {
		return err
	}
	if err := c.makeGroup(node(i)); err != nil {
		return err
	}
	if err := c.writeNodeFiles(i); err != nil {
		return err
	}
	if err := c.run(node(i), "containerd", "containerd", "--config=/run/machine/containerd.toml"); err != nil {
		return err
	}
	if err := c.await(ctx, time.Minute, "containerd of "+node(i), func() error {
		_, err := c.ctr(ctx, i, "version")
		return err
	}); err != nil {
		return err
	}
	return c.loadPause(ctx, i)
}

func (c *Cluster) socket(i int) string { return filepath.Join(c.dir, node(i), "containerd.sock") }

// A profile is what the files of a node are made of.
type profile struct {
	Node, Address, Host, Pods, Group, DNS, Pause string
}

func (c *Cluster) writeNodeFiles(i int) error {
	dir := filepath.Join(c.dir, node(i))
	p := profile{
		Node: node(i), Address: c.nodeAddress(i), Host: c.Host(), Pods: c.pods(i),
		Group: "/" + c.group() + "/" + node(i), DNS: c.dnsService(), Pause: pauseImage,
	}
	if err := os.MkdirAll(filepath.Join(dir, "cni"), 0o755); err != nil {
		return err
	}
	for name, at := range map[string]string{
		"containerd.toml": "containerd.toml", "pods.conflist": "cni/pods.conflist", "kubelet.yaml": "kubelet.yaml",
		"kube-proxy.yaml": "kube-proxy.yaml", "resolv.conf": "resolv.conf",
	} {
		text, err := fill(name, p)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, at), text, 0o644); err != nil {
			return err
		}
	}
	for i := range mostRegistry {
		if err := c.PullInClear(registry(c.Host(), i)); err != nil {
			return err
		}
	}
	return nil
}

// PullInClear lets the nodes pull from a registry at HOST:PORT by HTTP, from the next pull on.
func (c *Cluster) PullInClear(address string) error {
	dir := filepath.Join(c.dir, "registries", address)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Appendf(nil, "server = \"http://%[1]s\"\n\n[host.\"http://%[1]s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", address)
	return os.WriteFile(filepath.Join(dir, "hosts.toml"), text, 0o644)
}

// startKubelets starts what of each node needs the API server.
func (c *Cluster) startKubelets(ctx context.Context) error {
	for i := 1; i <= c.Nodes; i++ {
		if err := c.startKubelet(i); err != nil {
			return err
		}
	}
	if c.Nodes == 0 {
		return nil
	}
	return c.applyTemplate(ctx, "dns.yaml", profile{DNS: c.dnsService(), Pause: pauseImage})
}

func (c *Cluster) startKubelet(i int) error {
	name := node(i)
	if err := c.run(name, "kubernetes", "kubelet", "--config=/run/machine/kubelet.yaml",
		"--kubeconfig="+pki+name+".kubeconfig", "--hostname-override="+name, "--node-ip="+c.nodeAddress(i)); err != nil {
		return err
	}
	return c.run(name, "kubernetes", "kube-proxy", "--config=/run/machine/kube-proxy.yaml")
}

// awaitNodes waits until pods run, services lead to them and policies are enforced.
func (c *Cluster) awaitNodes(ctx context.Context) error {
	for i := 1; i <= c.Nodes; i++ {
		if err := c.awaitNode(ctx, i); err != nil {
			return err
		}
	}
	return c.await(ctx, 2*time.Minute, "the DNS of the cluster", func() error {
		_, err := c.kubectl(ctx, nil, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=1s")
		return err
	})
}

// awaitNode waits until a node is ready, and then has policies enforced on it.
func (c *Cluster) awaitNode(ctx context.Context, i int) error {
	err := c.await(ctx, 2*time.Minute, node(i), func() error {
		_, err := c.kubectl(ctx, nil, "wait", "--for=condition=Ready", "node/"+node(i), "--timeout=1s")
		return err
	})
	if err != nil {
		return err
	}
	return c.run(node(i), "policies", "policies", "--kubeconfig="+pki+"admin.kubeconfig", "--node="+node(i), "--services="+c.services())
}
