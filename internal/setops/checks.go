package setops

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ReservedEnvKeys are set by SetOps for every task and cannot be set by users.
var ReservedEnvKeys = []string{"APP_ENV_ID", "PORT", "PORTS", "PROTOCOL"}

var statusRange = regexp.MustCompile(`^[1-5][0-9]{2}(-[1-5][0-9]{2})?$`)

// CheckEnvKey reports a key that is not `[A-Za-z_][A-Za-z0-9_]*` of 1 to 256 characters, or that is reserved.
func CheckEnvKey(key string) []Violation {
	v := Violation{Field: "key", Message: "a variable is named by 1 to 256 letters, digits and underscores and does not start with a digit"}
	switch {
	case key == "":
		v.Validator = Required
	case len(key) > EnvKeyMax:
		v.Validator = TooLong
	case !envKey.MatchString(key):
		v.Validator = InvalidFormat
	case slices.Contains(ReservedEnvKeys, key):
		v.Validator, v.Message = Taken, key+" is set by SetOps for every task; choose another name"
	default:
		return nil
	}
	return []Violation{v}
}

// envStringMax is what Linux takes of one variable: KEY=value and a NUL byte.
const envStringMax = 128 << 10

// CheckEnvValue reports a value that no program can be given: with a NUL byte, or longer than Linux takes with its key.
func CheckEnvValue(key, value string) []Violation {
	if strings.ContainsRune(value, 0) {
		return []Violation{{Field: "value", Validator: Invalid, Message: "a value cannot hold a NUL byte"}}
	}
	if len(key)+len(value)+2 > envStringMax {
		return []Violation{{Field: "value", Validator: TooLong, Message: fmt.Sprintf("key and value have %d bytes together; at most %d fit", len(key)+len(value), envStringMax-2)}}
	}
	return nil
}

// CheckRange reports an integer outside shortest..longest.
func CheckRange(field string, value, lowest, highest int) []Violation {
	v := Violation{Field: field, Message: fmt.Sprintf("%d is not between %d and %d", value, lowest, highest)}
	switch {
	case value < lowest:
		v.Validator = GreaterThanOrEqual
	case value > highest:
		v.Validator = LessThanOrEqual
	default:
		return nil
	}
	return []Violation{v}
}

// ResourceUnit is what CPU units and megabytes of memory come in.
const ResourceUnit = 128

// resourceMax keeps CPU units and megabytes within what any machine has, and arithmetic within 32 bits.
const resourceMax = 1 << 20

// CheckResource reports a CPU or memory value that is not a multiple of 128, from 128 on.
func CheckResource(field string, value int) []Violation {
	if vs := CheckRange(field, value, ResourceUnit, resourceMax); vs != nil {
		return vs
	}
	if value%ResourceUnit != 0 {
		return []Violation{{
			Field: field, Validator: MultipleOfInvalid,
			Message: fmt.Sprintf("%d is not a multiple of %d; the next one is %d", value, ResourceUnit, (value/ResourceUnit+1)*ResourceUnit),
		}}
	}
	return nil
}

// CheckStatusList reports a list of accepted HTTP codes that is not like `200`, `200,204` or `200-299,301`.
func CheckStatusList(field, list string) []Violation {
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, _ := strconv.Atoi(low)
		last, _ := strconv.Atoi(high)
		if !statusRange.MatchString(part) || (isRange && first > last) {
			return []Violation{{
				Field: field, Validator: InvalidFormat,
				Message: fmt.Sprintf("%q is no list of HTTP codes; write it like 200, 200,204 or 200-299,301", list),
			}}
		}
	}
	return nil
}

var tag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// CheckTag reports what cannot be the tag of an image.
func CheckTag(field, value string) []Violation {
	if tag.MatchString(value) {
		return nil
	}
	return []Violation{{
		Field: field, Validator: InvalidFormat,
		Message: fmt.Sprintf("%q is no tag of an image; one has 1 to 128 letters, digits, dots, dashes and underscores, no dot or dash first", value),
	}}
}

// tagsNamed is how many tags are named to somebody who looks for another one.
const tagsNamed = 20

// UnknownTag says that no image has a tag, and which tags there are.
func UnknownTag(repository, tag string, others []string) string {
	switch {
	case len(others) == 0:
		return fmt.Sprintf("there is no image with the tag %s in %s, nor with any other; push it there first", tag, repository)
	case len(others) > tagsNamed:
		return fmt.Sprintf("there is no image with the tag %s in %s; it has %s and %d more",
			tag, repository, strings.Join(others[:tagsNamed], ", "), len(others)-tagsNamed)
	}
	return fmt.Sprintf("there is no image with the tag %s in %s; it has %s", tag, repository, strings.Join(others, ", "))
}

// CheckPath reports a path that does not start with a slash or holds what no request line can carry.
func CheckPath(field, path string) []Violation {
	if strings.HasPrefix(path, "/") && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil
	}
	return []Violation{{Field: field, Validator: InvalidFormat, Message: fmt.Sprintf("%q is no path; it starts with / and holds no spaces", path)}}
}

// CheckArgv reports an argument vector that cannot be executed.
func CheckArgv(field string, argv []string) []Violation {
	if len(argv) == 0 || argv[0] == "" {
		return []Violation{{Field: field, Validator: Required, Message: "a program and its arguments are needed"}}
	}
	for i, a := range argv {
		if strings.ContainsRune(a, 0) {
			return []Violation{{Field: fmt.Sprintf("%s[%d]", field, i), Validator: Invalid, Message: "an argument cannot hold a NUL byte"}}
		}
	}
	return nil
}
