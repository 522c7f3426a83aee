//go:build linux

package embedded

import (
	"errors"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/embedded/rootfs"
	"github.com/setopsco/setops/internal/engine/host"
)

// specFor is the container as the OCI describes it.
func (r *Runtime) specFor(c host.Spec, root image.Rootfs, place network.Endpoint) (*specs.Spec, error) {
	process, err := r.processFor(c.Container, root)
	if err != nil {
		return nil, err
	}
	hostname := c.App + "-" + short(c.ID)
	etc, err := r.writeEtc(c.ID, hostname, place)
	if err != nil {
		return nil, err
	}
	return &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{Path: root.Path},
		Hostname: hostname,
		Process:  process,
		Mounts:   append(systemMounts(), etc...),
		Linux: &specs.Linux{
			CgroupsPath:   r.cgroup(c.ID),
			Namespaces:    namespaces(place.NetNSPath),
			Resources:     r.resources(c.Container),
			MaskedPaths:   maskedPaths,
			ReadonlyPaths: readonlyPaths,
			Seccomp:       r.seccomp,
			Sysctl:        sysctls,
		},
	}, nil
}

func (r *Runtime) processFor(c engine.Container, root image.Rootfs) (*specs.Process, error) {
	config := root.Config.Config
	args, err := argv(c, config)
	if err != nil {
		return nil, err
	}
	env, err := environment(config.Env, c.Env)
	if err != nil {
		return nil, err
	}
	if err := host.CheckSize(args, env, r.limits.arguments); err != nil {
		return nil, err
	}
	user, err := rootfs.LookupUser(root.Path, config.User)
	if err != nil {
		return nil, refusal(err)
	}
	cwd := path.Join("/", config.WorkingDir) // libcontainer makes it where it is missing
	if _, err := rootfs.Find(root.Path, args, cwd, env); err != nil {
		return nil, refusal(err)
	}
	oomScore := 0 // not the shim's
	return &specs.Process{
		Args: args, Env: env, Cwd: cwd,
		User:            specs.User{UID: user.UID, GID: user.GID, AdditionalGids: user.Groups},
		Capabilities:    capabilitiesOf(user),
		NoNewPrivileges: true,
		OOMScoreAdj:     &oomScore,
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: r.limits.files, Hard: r.limits.files}},
	}, nil
}

// capabilitiesOf gives root all that there are at once. Other users get none, as if they had just executed a program:
// their first one is not to be found or entered by a right that they do not have.
func capabilitiesOf(u rootfs.User) *specs.LinuxCapabilities {
	if u.UID != 0 {
		return &specs.LinuxCapabilities{Bounding: capabilities}
	}
	return &specs.LinuxCapabilities{Bounding: capabilities, Effective: capabilities, Permitted: capabilities}
}

// refusal turns what is wrong with an image into the error that says so.
func refusal(err error) error {
	var fault *rootfs.Fault
	if errors.As(err, &fault) {
		return &host.StartError{Reason: fault.Reason}
	}
	return err
}

// resources are the limits: memory is hard and without swap, CPU is a share among those who want it.
func (r *Runtime) resources(c engine.Container) *specs.LinuxResources {
	pids := int64(pidsLimit)
	resources := &specs.LinuxResources{
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}, // the usual ones are allowed again after it
		Pids:    &specs.LinuxPids{Limit: &pids},
	}
	if c.CPU > 0 {
		shares := uint64(max(c.CPU, 2)) // the kernel's least
		resources.CPU = &specs.LinuxCPU{Shares: &shares}
	}
	if c.Memory > 0 {
		bytes := int64(c.Memory) << 20
		resources.Memory = &specs.LinuxMemory{Limit: &bytes}
		if r.limits.swap {
			resources.Memory.Swap = &bytes
		}
	}
	return resources
}

func namespaces(netns string) []specs.LinuxNamespace {
	all := []specs.LinuxNamespace{
		{Type: specs.PIDNamespace},
		{Type: specs.MountNamespace},
		{Type: specs.IPCNamespace},
		{Type: specs.UTSNamespace},
		{Type: specs.NetworkNamespace, Path: netns},
	}
	if exists("/proc/self/ns/cgroup") {
		all = append(all, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return all
}

// short is enough of an id for people.
func short(id string) string { return id[:min(len(id), 8)] }
