//go:build linux

package network

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// passFirewall lets our networks through the host's own firewall, as far as that is one of iptables: Docker and ufw let
// the host forward nothing but what they know, packets within a bridge included, and ufw drops questions for names. Our
// tables still decide who may talk to whom: a packet passes only where every table lets it.
//
// What the administrator does not want is not forced on him: a rule that cannot be set is told in the log.
func (n *Network) passFirewall(ctx context.Context) {
	tool, err := exec.LookPath("iptables")
	if err != nil {
		return // without the tool there are no such rules
	}
	listed, err := exec.CommandContext(ctx, tool, "--wait", "-S").Output()
	if err != nil {
		return // nor without the kernel's support
	}
	for _, args := range n.firewallChanges(strings.Split(string(listed), "\n")) {
		out, err := exec.CommandContext(ctx, tool, append([]string{"--wait"}, args...)...).CombinedOutput()
		if err != nil {
			n.warnOnce("the host's firewall could not be opened for the stages' networks",
				fmt.Errorf("iptables %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out))))
		}
	}
}

// firewallChanges compares the rules that are there (as `iptables -S` prints them) with those that we need.
func (n *Network) firewallChanges(listed []string) (changes [][]string) {
	has := func(line string) bool { return slices.Contains(listed, line) }
	for _, r := range n.firewallRules() {
		needed := len(n.stages) > 0 && slices.ContainsFunc(r.because, has)
		present := has("-A " + r.chain + " " + r.rule)
		switch {
		case needed && !present:
			changes = append(changes, append([]string{"-I", r.chain}, strings.Fields(r.rule)...))
		case len(n.stages) == 0 && present:
			changes = append(changes, append([]string{"-D", r.chain}, strings.Fields(r.rule)...))
		}
	}
	return changes
}

// firewallRule is needed where one of the lines of because is there. Both are spelled as iptables prints them.
type firewallRule struct {
	chain, rule string
	because     []string
}

func (n *Network) firewallRules() []firewallRule {
	bridges := n.bridgePrefix() + "+"
	out := "-i " + bridges + " -j ACCEPT"
	back := "-o " + bridges + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
	return []firewallRule{
		{"DOCKER-USER", out, []string{"-N DOCKER-USER"}},
		{"DOCKER-USER", back, []string{"-N DOCKER-USER"}},
		{"FORWARD", out, []string{"-P FORWARD DROP"}},
		{"FORWARD", back, []string{"-P FORWARD DROP"}},
		{"INPUT", "-i " + bridges + " -p udp -m udp --dport 53 -j ACCEPT", []string{"-P INPUT DROP"}},
		{"INPUT", "-i " + bridges + " -p tcp -m tcp --dport 53 -j ACCEPT", []string{"-P INPUT DROP"}},
		{"INPUT", "-i " + bridges + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", []string{"-P INPUT DROP"}},
	}
}
