//! The fake driver, in whose every call the command can be struck: before it and after it.

use std::path::Path;
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_core::dirs::Home;
use kiste_core::{Cancel, Machine};
use kiste_providers::capability::{Forwarding, Screen, Serial, Suspend};
use kiste_providers::fake::Fake;
use kiste_providers::{Address, Driver, Error, Finding, Source, State, Vm};

use super::Told;

pub struct Mortal(pub Arc<Told>);

impl Mortal {
    fn around<T>(&self, call: impl FnOnce() -> T) -> T {
        self.0.burn();
        let result = call();
        self.0.burn();
        result
    }
}

impl Driver for Mortal {
    fn name(&self) -> &'static str {
        Fake.name()
    }
    fn box_providers(&self) -> &'static [&'static str] {
        Fake.box_providers()
    }
    fn settings_schema(&self) -> schemars::Schema {
        Fake.settings_schema()
    }
    fn check(&self, home: &Home, cancel: &Cancel) -> Vec<Finding> {
        Fake.check(home, cancel)
    }
    fn validate(&self, machine: &Machine) -> Vec<String> {
        Fake.validate(machine)
    }
    fn create(&self, vm: &Vm<'_>, source: &Source) -> Result<(), Error> {
        self.around(|| Fake.create(vm, source))
    }
    fn start(&self, vm: &Vm<'_>) -> Result<(), Error> {
        self.around(|| Fake.start(vm))
    }
    fn stop(&self, vm: &Vm<'_>, force: bool) -> Result<(), Error> {
        self.around(|| Fake.stop(vm, force))
    }
    fn delete(&self, vm: &Vm<'_>) -> Result<(), Error> {
        self.around(|| Fake.delete(vm))
    }
    fn state(&self, vm: &Vm<'_>) -> Result<State, Error> {
        Fake.state(vm)
    }
    fn address(&self, vm: &Vm<'_>) -> Result<Option<Address>, Error> {
        Fake.address(vm)
    }
    fn export(&self, vm: &Vm<'_>, to: &Path, format: &str, compress: bool) -> Result<(), Error> {
        Fake.export(vm, to, format, compress)
    }
    fn communicator(&self, vm: &Vm<'_>) -> Result<Option<Box<dyn Communicator>>, Error> {
        self.around(|| Fake.communicator(vm))
    }
    fn evidence(&self, vm: &Vm<'_>) -> Vec<(String, Vec<u8>)> {
        Fake.evidence(vm)
    }
    fn forwarding(&self) -> Option<&dyn Forwarding> {
        self.0.burn();
        Some(&Fake)
    }
    fn suspend(&self) -> Option<&dyn Suspend> {
        self.0.burn();
        Some(&Fake)
    }
    fn screen(&self) -> Option<&dyn Screen> {
        Some(&Fake)
    }
    fn serial(&self) -> Option<&dyn Serial> {
        Some(&Fake)
    }
}
