package cluster

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Options say what a cluster consists of, besides its control plane.
type Options struct {
	Nodes     int  // with kubelet and containerd, as many as 8
	Simulated int  // that kwok plays: their pods are ready at once and run nothing. Where there are others, only who asks for it gets there
	Gateway   bool // whether it has the resources of the Gateway API
	Leashed   bool // whether it ends with this process, even where that is killed

	Progress func(line string) // is told what goes on; may be nil
}

// startTime is what a whole cluster may take until it works, on a machine that does much else.
const startTime = 5 * time.Minute

// Up brings up a cluster and returns when it works: its nodes are ready, its DNS answers. The first time on a machine it compiles
// Kubernetes for about ten minutes. On an error nothing stays; the error has the last lines of what failed.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if err := check(); err != nil {
		return nil, err
	}
	programs, err := build(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	c, err := claim(o, programs)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := c.bring(ctx, o); err != nil {
		err = fmt.Errorf("%w\n%s", err, c.logs())
		if left := c.Down(); left != nil {
			err = fmt.Errorf("%w\nand then: %w", err, left)
		}
		return nil, err
	}
	o.Progress(fmt.Sprintf("The cluster works after %.1f s.", time.Since(began).Seconds()))
	return c, nil
}

func (c *Cluster) bring(ctx context.Context, o Options) error {
	if err := c.writePKI(); err != nil {
		return err
	}
	o.Progress("Starting the control plane…")
	if err := c.startControl(ctx, o.Leashed); err != nil {
		return err
	}
	for i := range o.Nodes {
		o.Progress(fmt.Sprintf("Starting node%d…", i+1))
		if err := c.startNode(ctx, i+1, o.Leashed); err != nil {
			return err
		}
	}
	if err := c.awaitControl(ctx); err != nil {
		return err
	}
	if err := c.startKubelets(ctx); err != nil {
		return err
	}
	return c.addAll(ctx, o)
}

func (c *Cluster) addAll(ctx context.Context, o Options) error {
	if o.Gateway {
		if err := c.applyFile(ctx, "gateway.yaml"); err != nil {
			return fmt.Errorf("make the resources of the Gateway API: %w", err)
		}
	}
	if o.Simulated > 0 {
		o.Progress(fmt.Sprintf("Adding %d simulated nodes…", o.Simulated))
		if err := c.simulate(ctx, o.Simulated); err != nil {
			return err
		}
	}
	if o.Nodes == 0 {
		return nil
	}
	return c.awaitNodes(ctx)
}

// check says what this machine lacks. Nothing of it is made up for, so that no test passes without a cluster.
func check() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("a cluster needs root: containers, namespaces and network interfaces are made for it")
	}
	return lacking(os.Getenv("PATH"))
}
