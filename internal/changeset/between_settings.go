package changeset

import (
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// containerBetween unsets what was set and is not any more, and sets the rest that differs.
func containerBetween(name string, was, is setops.Container) []Command {
	var unset []string
	set := ContainerSet{AppName: name}
	set.Command = argvBetween("command", was.Command, is.Command, &unset)
	set.Entrypoint = argvBetween("entrypoint", was.Entrypoint, is.Entrypoint, &unset)
	set.HealthCheck = healthCheckBetween(was.HealthCheck, is.HealthCheck, &unset)
	set.StartTimeout = settingBetween("start_timeout", was.StartTimeout, is.StartTimeout, &unset)
	set.StopTimeout = settingBetween("stop_timeout", was.StopTimeout, is.StopTimeout, &unset)
	var commands []Command
	if len(unset) > 0 {
		commands = append(commands, &ContainerUnset{AppName: name, Fields: unset})
	}
	if set.Command != nil || set.Entrypoint != nil || set.HealthCheck != nil || set.StartTimeout != nil || set.StopTimeout != nil {
		commands = append(commands, &set)
	}
	return commands
}

// argvBetween writes a vector so that ContainerSet, which splits a single word, takes it as it is.
func argvBetween(field string, was, is []string, unset *[]string) []string {
	switch {
	case slices.Equal(was, is):
		return nil
	case len(is) == 0:
		*unset = append(*unset, field)
		return nil
	case len(is) == 1 && isSplit(is[0]):
		return []string{quoteWord(is[0])}
	}
	return slices.Clone(is)
}

func healthCheckBetween(was, is *setops.HealthCheck, unset *[]string) *HealthCheck {
	switch {
	case sameHealthCheck(was, is):
		return nil
	case is == nil:
		*unset = append(*unset, "health_check")
		return nil
	}
	return &HealthCheck{
		Command: slices.Clone(is.Command), Interval: new(is.Interval), Timeout: new(is.Timeout),
		Retries: new(is.Retries), StartPeriod: new(is.StartPeriod),
	}
}

func sameHealthCheck(a, b *setops.HealthCheck) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Command, b.Command) && a.Interval == b.Interval && a.Timeout == b.Timeout &&
		a.Retries == b.Retries && a.StartPeriod == b.StartPeriod
}

// settingBetween is for values whose zero value is "never set".
func settingBetween[T comparable](field string, was, is T, unset *[]string) *T {
	var never T
	if is == never && was != never {
		*unset = append(*unset, field)
		return nil
	}
	return changed(was, is)
}

// changed gives the new value where it is one.
func changed[T comparable](was, is T) *T {
	if was == is {
		return nil
	}
	return &is
}

// networkBetween unsets first: an app that is to speak tcp must have no path and no status by then.
func networkBetween(name string, was, is setops.Network) []Command {
	var unset []string
	set := NetworkSet{
		AppName: name, Protocol: changed(was.Protocol, is.Protocol), Public: changed(was.Public, is.Public), Port: changed(was.Port, is.Port),
		HealthCheckPath:   settingBetween("health_check_path", was.HealthCheckPath, is.HealthCheckPath, &unset),
		HealthCheckStatus: settingBetween("health_check_status", was.HealthCheckStatus, is.HealthCheckStatus, &unset),
	}
	var commands []Command
	if len(unset) > 0 {
		commands = append(commands, &NetworkUnset{AppName: name, Fields: unset})
	}
	if set != (NetworkSet{AppName: name}) {
		commands = append(commands, &set)
	}
	return commands
}

func resourcesBetween(name string, was, is setops.Resources) []Command {
	if was == is {
		return nil
	}
	return []Command{&ResourceSet{
		AppName: name, CPU: changed(was.CPU, is.CPU), Memory: changed(was.Memory, is.Memory), Scale: changed(was.Scale, is.Scale),
	}}
}

// envBetween makes room first, variable by variable, so that an environment close to the limit does not pass it on the way.
// A variable whose description vanishes, or that is not secret any more, is unset and set again: EnvSet keeps what it does not name.
func envBetween(name string, was, is map[string]setops.EnvVar) []Command {
	var unset, smaller, larger []Command
	for _, key := range names(was, is) {
		old, there := was[key]
		v, stays := is[key]
		if there && stays && old == v {
			continue
		}
		if there && (!stays || old.Description != "" && v.Description == "" || old.Secret && !v.Secret) {
			unset = append(unset, &EnvUnset{AppName: name, Key: key})
			there = false
		}
		set := &EnvSet{AppName: name, Key: key, Value: v.Value, Description: v.Description, Secret: v.Secret}
		switch {
		case stays && there && len(v.Value) <= len(old.Value):
			smaller = append(smaller, set)
		case stays:
			larger = append(larger, set)
		}
	}
	return slices.Concat(unset, smaller, larger)
}
