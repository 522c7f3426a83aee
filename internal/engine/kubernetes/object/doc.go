// Package object says which objects of a cluster stages, generations and one-off tasks are, as values that are applied on the
// server. It is pure: what it makes is tested as text, in testdata.
//
//	stage         Namespace, three NetworkPolicies, the Secret that images are pulled with
//	generation    Deployment, the Secret of its environment
//	app           Service, whose selector is the generation that serves
//	one-off task  Job, the Secret of its environment
//
// Start with Labels: nothing without them is ours.
package object
