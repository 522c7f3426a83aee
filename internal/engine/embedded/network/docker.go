//go:build linux

package network

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Docker lets the host forward nothing but its own, packets within our bridges included. What it leaves to the
// administrator is the chain DOCKER-USER; the tables of this package still decide who may talk to whom.
const dockerChain = "DOCKER-USER"

// applyDockerRules adds our rules to Docker's chain where there is one, and takes them out when no stage is left.
func (n *Network) applyDockerRules(ctx context.Context) error {
	tool, err := exec.LookPath("iptables")
	if err != nil {
		return nil // without the tool there is no Docker whose rules would be in the way
	}
	listed, err := exec.CommandContext(ctx, tool, "--wait", "-S", dockerChain).Output()
	if err != nil {
		return nil // no such chain
	}
	for _, r := range n.dockerRules() {
		present := strings.Contains(string(listed), strings.Join(r, " "))
		switch {
		case len(n.stages) > 0 && !present:
			err = iptables(ctx, tool, append([]string{"-I", dockerChain}, r...))
		case len(n.stages) == 0 && present:
			err = iptables(ctx, tool, append([]string{"-D", dockerChain}, r...))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dockerRules are spelled as iptables prints them.
func (n *Network) dockerRules() [][]string {
	bridges := n.bridgePrefix() + "+"
	return [][]string{
		{"-i", bridges, "-j", "ACCEPT"},
		{"-o", bridges, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"},
	}
}

func iptables(ctx context.Context, tool string, args []string) error {
	out, err := exec.CommandContext(ctx, tool, append([]string{"--wait"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("let Docker's firewall pass our networks: iptables %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
