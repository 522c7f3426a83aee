package cluster

import (
	"context"
	"fmt"
	"strings"
)

// wireControl connects the control plane with the host: a bridge in its namespace, with a cable to the host and one to each node.
// The host has the one interface, and routes that go with it.
func (c *Cluster) wireControl(ctx context.Context, pid int) error {
	if err := ip(ctx, 0,
		fmt.Sprintf("link add %s type veth peer name host netns %d", c.link(), pid),
		fmt.Sprintf("address add %s/24 dev %s", c.Host(), c.link()),
		fmt.Sprintf("link set %s up", c.link()),
	); err != nil {
		return fmt.Errorf("connect the control plane with the host: %w", err)
	}
	if err := ip(ctx, pid,
		// Left to itself a bridge changes its address when a node goes, and for a minute nobody reaches it.
		"link add switch address 02:73:6f:6b:00:02 type bridge", "link set switch up", "link set lo up",
		"link set host master switch", "link set host up",
		fmt.Sprintf("address add %s/24 dev switch", c.controlAddress()),
		"route add default via "+c.Host(),
	); err != nil {
		return fmt.Errorf("make the network of the control plane: %w", err)
	}
	if c.Nodes == 0 {
		return nil
	}
	return c.route(ctx, 0, pid)
}

// wireNode connects a node with the control plane's bridge.
func (c *Cluster) wireNode(ctx context.Context, i, control, pid int) error {
	if err := ip(ctx, 0, fmt.Sprintf("link add eth0 netns %d type veth peer name %s netns %d", pid, node(i), control)); err != nil {
		return fmt.Errorf("connect %s with the control plane: %w", node(i), err)
	}
	if err := ip(ctx, control, fmt.Sprintf("link set %s master switch", node(i)), fmt.Sprintf("link set %s up", node(i))); err != nil {
		return fmt.Errorf("connect %s with the control plane: %w", node(i), err)
	}
	lines := []string{
		"link set lo up", "link set eth0 up",
		fmt.Sprintf("address add %s/24 dev eth0", c.nodeAddress(i)), "route add default via " + c.Host(),
	}
	for other := 1; other <= c.Nodes; other++ {
		if other != i {
			lines = append(lines, fmt.Sprintf("route add %s via %s", c.pods(other), c.nodeAddress(other)))
		}
	}
	if err := ip(ctx, pid, lines...); err != nil {
		return fmt.Errorf("make the network of %s: %w", node(i), err)
	}
	_, err := output(ctx, "", "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid), "sysctl", "-qw", "net.ipv4.ip_forward=1")
	return err
}

// route leads packets to pods to their nodes, and those to services to the first.
func (c *Cluster) route(ctx context.Context, pids ...int) error {
	lines := []string{fmt.Sprintf("route add %s via %s", c.services(), c.nodeAddress(1))}
	for i := 1; i <= c.Nodes; i++ {
		lines = append(lines, fmt.Sprintf("route add %s via %s", c.pods(i), c.nodeAddress(i)))
	}
	for _, pid := range pids {
		if err := ip(ctx, pid, lines...); err != nil {
			return fmt.Errorf("lead packets to the pods: %w", err)
		}
	}
	return nil
}

// ip makes changes to the network of a process, or of the host where pid is 0.
func ip(ctx context.Context, pid int, lines ...string) error {
	for _, line := range lines {
		argv := append([]string{"ip"}, strings.Fields(line)...)
		if pid != 0 {
			argv = append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid)}, argv...)
		}
		if _, err := output(ctx, "", argv...); err != nil {
			return fmt.Errorf("ip %s: %w", line, err)
		}
	}
	return nil
}
