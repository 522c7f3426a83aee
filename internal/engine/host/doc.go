// Package host supervises generations on a single host: it keeps the right number of tasks alive on a Runtime
// (libcontainer, Docker), runs their checks, replaces what fails with a back-off, and knows the state of every task.
// It holds no opinion on routes and releases; the commit does.
//
// Start with Supervisor, then life.go, which leads one task through its states:
//
//	PROVISIONING  the stage's network is made
//	PENDING       the back-off is waited out (Reason says until when and why), the image fetched, the container made
//	ACTIVATING    started. It becomes RUNNING once its container health check has succeeded once and its network health
//	              check has passed; with neither, once it has been up for 10 s; a one-off task at once
//	RUNNING       the container health check goes on; Retries failures in a row have the task replaced, and it goes when
//	              the replacement is RUNNING, or stays when it passes again before
//	DEACTIVATING  the Drainer takes it out of the routes and waits for requests in flight, 60 s at most
//	STOPPING      SIGTERM, after the stop timeout SIGKILL
//	DEPROVISIONING, STOPPED
//
// A task that ends by itself goes from wherever it is to DEPROVISIONING. Its replacement starts after 1 s, and after
// twice as long at each further failure in a row, up to 5 minutes; a task that was RUNNING for 10 minutes ends the row. A
// task that was stopped by a user is replaced at once.
//
// What survives a restart of the server: containers carry labels that say whose they are, a record per task in
// DIR/records keeps its state, the stages' names are in DIR/stages, logs in DIR/logs/STAGE/APP. The environment of a task is
// never written: a found task goes on, and is replaced only once Ensure has brought its generation again.
package host
