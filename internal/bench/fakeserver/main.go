//go:build linux

// Command fakeserver is setopsd with the engine in memory, for the bench: what the API, the commits and the store cost is
// measured without containers, which cost more than all of it.
//
//	fakeserver serve DIR [-users N] [-profile FILE]   a server on DIR, until SIGTERM; SIGHUP starts the next one
//	fakeserver alone DIR [-workers N] [-for DURATION] the store of DIR without a server: calls a second, as JSON
//
// The first start makes users and writes their tokens to DIR/tokens.json. Nothing else should use it: there is no engine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "fakeserver: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: fakeserver serve|alone DIR …")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	users := flags.Int("users", 1, "how many users the first start makes")
	profile := flags.String("profile", "", "file for a profile of the CPU time")
	workers := flags.Int("workers", 8, "how many use the store at once")
	duration := flags.Duration("for", 5*time.Second, "how long each kind of call is made")
	if err := flags.Parse(args[2:]); err != nil {
		return err
	}
	if *profile != "" {
		end, err := record(*profile)
		if err != nil {
			return err
		}
		defer end()
	}
	switch args[0] {
	case "serve":
		return serve(ctx, args[1], *users)
	case "alone":
		return alone(ctx, args[1], *workers, *duration)
	}
	return fmt.Errorf("there is no %q", args[0])
}

// record writes a profile of all until end.
func record(file string) (end func(), err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile that is cut off is seen by who reads it
	}, nil
}
