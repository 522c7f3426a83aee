//go:build linux

package nft

import "github.com/google/nftables"

// ReplaceTable sends one transaction: the table as it was goes, and what fill makes of an empty one comes. Without fill
// there is none afterwards.
func ReplaceTable(family nftables.TableFamily, name string, fill func(*nftables.Conn, *nftables.Table) error) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := &nftables.Table{Family: family, Name: name}
	conn.AddTable(table) // so that there is one to delete
	conn.DelTable(table)
	if fill != nil {
		conn.AddTable(table)
		if err := fill(conn, table); err != nil {
			return err
		}
	}
	return conn.Flush()
}

// BaseChain adds a chain that the kernel asks about packets. What no rule decides passes.
func BaseChain(conn *nftables.Conn, c nftables.Chain) *nftables.Chain {
	policy := nftables.ChainPolicyAccept
	c.Policy = &policy
	return conn.AddChain(&c)
}

// Add adds a rule to the transaction.
func Add(conn *nftables.Conn, c *nftables.Chain, parts ...Match) {
	conn.AddRule(&nftables.Rule{Table: c.Table, Chain: c, Exprs: Rule(parts...)})
}

// HasRules looks whether each of the chains has any.
func HasRules(family nftables.TableFamily, table string, chains ...string) bool {
	conn, err := nftables.New()
	if err != nil {
		return false
	}
	t := &nftables.Table{Family: family, Name: table}
	for _, chain := range chains {
		rules, err := conn.GetRules(t, &nftables.Chain{Table: t, Name: chain})
		if err != nil || len(rules) == 0 {
			return false
		}
	}
	return true
}
