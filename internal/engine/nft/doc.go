// Package nft writes the packet filter (nftables) in the words that our rules need: parts of rules that are joined, sets
// whose elements change without touching the rules, tables that are replaced in one step, and a mark that tells whether
// anybody has changed anything since.
//
// It knows no stage and decides nothing; packages gateway and network do. Start with Rule in expr.go, then Set.
package nft
