// Package opinion turns poll results into estimates of how each country sees
// each other country, with intervals that hold on data the model has not seen.
//
// # From observations to estimates
//
//	d, err := opinion.Read(file, "pew.csv", opinion.ReadOptions{})
//	flags := opinion.Check(d.Observations)            // mislabelled columns, large jumps
//	m, err := opinion.Fit(opinion.Exclude(d.Observations, flags), opinion.Options{})
//	e := m.Estimate(opinion.Query{Country: "IDN", Target: "USA", Population: "public", Time: 2015.5, NEff: 900, Level: 0.9})
//	r, err := opinion.Backtest(ctx, observations, 1)  // coverage on held-out cells
//
// # The model
//
// Each series (country, target, population) is a local level: a random walk on
// the logit scale whose variance grows by q per year. q is shared by the
// countries of one target and population and found by maximum likelihood with
// Student-t(4) predictive errors, so that a true jump is read as a jump and
// not as a bad poll. Targets with few transitions are pulled towards the q of
// all targets. House and item effects are shrunk towards zero. The width of an
// interval is not taken from a normal table: it is calibrated, for each target,
// on leave-one-out errors of the training data.
//
// The level at a time is the precision-weighted combination of a Kalman filter
// run forwards to it and one run backwards to it, which for this model equals
// the Rauch-Tung-Striebel smoother (Durbin and Koopman, Time Series Analysis by
// State Space Methods, 2nd ed., chapter 2) and generalised least squares.
//
// # What it refuses
//
// Elite and public opinion are different series and are never averaged.
// Instruments and items are one scale only where they meet in one country and
// target within a year and a half. Where the data cannot carry a figure the
// answer is the status [Insufficient] with reasons, never a line. Self-ratings
// (country = target) are a different construct and are modelled apart.
//
// The package is pure: it takes readers and values and gives values back. The
// same input and seed give the same bytes.
package opinion

// ModelVersion names the model; it changes whenever the same input would give
// other figures.
const ModelVersion = "causeway-opinion/1"
