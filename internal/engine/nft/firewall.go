//go:build linux

package nft

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Firewall is the host's own one, as far as that is one of iptables. It is not ours; we only add rules that let our
// networks through. Our tables still decide who may talk to whom: a packet passes only where every table lets it.
//
// The zero Firewall can be used; it is not safe for concurrent use.
type Firewall struct {
	tool   string // "": there is none, and so are no such rules
	legacy bool   // it does not go through nftables: no Mark notices its changes
	looked bool
	passed time.Time
}

// legacyLook is how long rules of a legacy iptables are trusted to be there.
const legacyLook = 5 * time.Second

// Pass is a rule that is needed while one of the lines of Because is there. Both are spelled as `iptables -S` prints them.
type Pass struct {
	Chain, Rule string
	Because     []string
}

// Trusted reports whether the rules of the last Pass are still there, provided that a Mark set before it holds.
func (f *Firewall) Trusted() bool {
	return f.looked && (!f.legacy || time.Since(f.passed) < legacyLook)
}

// Pass sets the rules where they are needed and takes them out where wanted is false. A rule that cannot be set is an
// error; the others are set all the same.
func (f *Firewall) Pass(ctx context.Context, rules []Pass, wanted bool) (errs []error) {
	f.look(ctx)
	if f.tool == "" {
		return nil
	}
	listed, err := exec.CommandContext(ctx, f.tool, "--wait", "-S").Output()
	if err != nil {
		return nil // the kernel supports no such rules
	}
	f.passed = time.Now()
	for _, args := range changes(strings.Split(string(listed), "\n"), rules, wanted) {
		out, err := exec.CommandContext(ctx, f.tool, append([]string{"--wait"}, args...)...).CombinedOutput()
		if err != nil {
			errs = append(errs, fmt.Errorf("iptables %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out))))
		}
	}
	return errs
}

func (f *Firewall) look(ctx context.Context) {
	if f.looked {
		return
	}
	f.looked = true
	f.tool, _ = exec.LookPath("iptables") // empty where there is none
	if f.tool != "" {
		version, err := exec.CommandContext(ctx, f.tool, "-V").Output()
		f.legacy = err != nil || !strings.Contains(string(version), "nf_tables")
	}
}

// changes compares the rules that are there with those that we need.
func changes(listed []string, rules []Pass, wanted bool) (changes [][]string) {
	has := func(line string) bool { return slices.Contains(listed, line) }
	for _, r := range rules {
		present := has("-A " + r.Chain + " " + r.Rule)
		switch {
		case wanted && !present && slices.ContainsFunc(r.Because, has):
			changes = append(changes, append([]string{"-I", r.Chain}, strings.Fields(r.Rule)...))
		case !wanted && present:
			changes = append(changes, append([]string{"-D", r.Chain}, strings.Fields(r.Rule)...))
		}
	}
	return changes
}
