// Package label decides who may see what.
//
// A [Label] (STANAG 4774, meaning given by a SPIF [Policy]) is compiled to a
// [Rule]: a set of clauses, each a set of atoms, in conjunctive normal form.
// A holder's clearances, nation, groups and time are compiled to [Holdings]:
// the set of atoms held now. A reader may read exactly when every clause of
// the rule contains an atom that is held ([Allows]). Joining labels is the
// union of their clauses ([Join]), so the readers of a join are exactly the
// readers of all its sources; nothing is widened to fit another notation.
//
// Deny is the zero value of everything: the zero Rule admits nobody, a nil
// Holdings holds nothing, and whatever is not understood is an error that the
// caller answers with a denial.
//
// The package is pure: it opens nothing and reads no clock; times come in as
// values.
package label
